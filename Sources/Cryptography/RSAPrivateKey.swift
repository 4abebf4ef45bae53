// The private half of an RSA key: one owner, numbers in OpenSSL's locked heap, no printable form.

import COpenSSL
package import Secrets

/// Many threads may decrypt with one key at once. What OpenSSL derives from the primes for speed (their Montgomery
/// form, made by the first decryption) lies on its ordinary heap; it is wiped with the key.
package struct RSAPrivateKey: ~Copyable, Sendable {
  private let key: KeyHandle
  private let publicHalf: RSAPublicKey

  package init(pem: Span<UInt8>) throws(KeyLoadError) {
    let text = try KeyText(pem)
    try self.init(pkcs8: text.bytes)
  }

  package init(pkcs8 der: Span<UInt8>) throws(KeyLoadError) {
    try self.init(KeyHandle.load(der, .privateKey, .rsa))
  }

  init(_ loaded: KeyHandle) throws(KeyLoadError) {
    try loaded.checkRSA()
    let spki = try loaded.subjectPublicKeyInfo()
    publicHalf = try RSAPublicKey(spki: spki.span)
    key = loaded
  }

  package static let sizes = [2048, 3072, 4096]

  /// A new key with the exponent 65537.
  package static func generate(bits: Int) throws(CryptographyError) -> RSAPrivateKey {
    guard sizes.contains(bits) else { throw .broken("an RSA key is made with 2048, 3072 or 4096 bits") }
    let made = try KeyHandle.generate(.rsa, bits: Int32(bits))
    do {
      return try RSAPrivateKey(made)
    } catch {
      throw .broken("OpenSSL made an RSA key that it does not load")
    }
  }

  package var bits: Int { key.bits }

  package func publicKey() -> RSAPublicKey { publicHalf }

  /// Everything that can be wrong with a ciphertext, its label or its key is `.rejected`, and nothing of ours looks
  /// at the difference: the padding is checked by OpenSSL in constant time.
  package borrowing func decryptOAEP(
    _ ciphertext: Span<UInt8>, label: Span<UInt8>, hash: OAEPHash = .sha256, mgf: OAEPHash = .sha256
  ) throws(CryptographyError) -> SecretBytes {
    guard ciphertext.count == key.size else { throw .rejected }
    defer { ERR_clear_error() }
    // OpenSSL wants room for a whole modulus.
    var room = try lockedBytes(key.size)
    var target = room.mutableBytes
    let count = try unsafe OAEP.withContext(
      key, label: label, hash: hash, mgf: mgf, start: EVP_PKEY_decrypt_init_ex
    ) { context throws(CryptographyError) -> Int? in
      unsafe ciphertext.withPointer { from, count in
        unsafe target.withPointer { into, room in
          var written = room
          return unsafe EVP_PKEY_decrypt(context, into, &written, from, count) == 1 ? written : nil
        }
      }
    }
    guard let count else { throw .rejected }
    var opened = try lockedBytes(count)
    var openedBytes = opened.mutableBytes
    for index in 0..<count { openedBytes[index] = target[index] }
    return opened
  }

  /// PEM of the unencrypted PKCS#8.
  package borrowing func pkcs8PEM() throws(CryptographyError) -> SecretBytes { try key.pkcs8PEM() }

  /// Proves that both halves belong together: a random message there and back, with and without a label, and
  /// neither a changed message nor another label gets through.
  package borrowing func selfTest() throws(CryptographyError) {
    let message = try SecureRandom.secret(32)
    let label = try SecureRandom.bytes(16)
    for label in [label, []] {
      var sealed = try publicHalf.encryptOAEP(message.bytes, label: label.span)
      let opened = try decryptOAEP(sealed.span, label: label.span)
      guard opened.equals(message) else { throw .rejected }
      let otherLabel = label + [0]
      guard refuses(sealed.span, label: otherLabel.span) else { throw .rejected }
      sealed[sealed.count / 2] ^= 1
      guard refuses(sealed.span, label: label.span) else { throw .rejected }
    }
  }

  private borrowing func refuses(_ sealed: Span<UInt8>, label: Span<UInt8>) -> Bool {
    do {
      _ = try decryptOAEP(sealed, label: label)
      return false
    } catch {
      return error == .rejected
    }
  }
}
