// The private half of an Ed25519 key (RFC 8032): one owner, seed in OpenSSL's locked heap.

import COpenSSL
package import Secrets

package struct Ed25519PrivateKey: ~Copyable, Sendable {
  private let key: KeyHandle
  private let publicHalf: Ed25519PublicKey

  package init(pem: Span<UInt8>) throws(KeyLoadError) {
    let text = try KeyText(pem)
    try self.init(pkcs8: text.bytes)
  }

  package init(pkcs8 der: Span<UInt8>) throws(KeyLoadError) {
    try self.init(KeyHandle.load(der, .privateKey, .ed25519))
  }

  /// The 32-byte seed of RFC 8032.
  package init(raw seed: Span<UInt8>) throws(KeyLoadError) {
    guard seed.count == Ed25519PublicKey.rawBytes else { throw .malformed }
    do { try Cryptography.lockHeap() } catch { throw .door(error) }
    defer { ERR_clear_error() }
    let made = unsafe seed.withPointer { start, count in
      unsafe EVP_PKEY_new_raw_private_key_ex(nil, KeyKind.ed25519.openSSLName.characters, nil, start, count)
    }
    guard let made = unsafe made else { throw .malformed }
    try self.init(unsafe KeyHandle(owning: made))
  }

  private init(_ loaded: KeyHandle) throws(KeyLoadError) {
    let spki = try loaded.subjectPublicKeyInfo()
    publicHalf = try Ed25519PublicKey(spki: spki.span)
    key = loaded
  }

  package static func generate() throws(CryptographyError) -> Ed25519PrivateKey {
    let made = try KeyHandle.generate(.ed25519)
    do {
      return try Ed25519PrivateKey(made)
    } catch {
      throw .broken("OpenSSL made an Ed25519 key that it does not load")
    }
  }

  package func publicKey() -> Ed25519PublicKey { publicHalf }

  package borrowing func sign(_ message: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
    defer { ERR_clear_error() }
    let refused = CryptographyError.broken("OpenSSL refused to sign with Ed25519")
    guard let context = unsafe EVP_MD_CTX_new() else { throw refused }
    defer { unsafe EVP_MD_CTX_free(context) }
    guard unsafe EVP_DigestSignInit_ex(context, nil, nil, nil, nil, key.pointer, nil) == 1 else { throw refused }
    var signature = [UInt8](repeating: 0, count: Ed25519PublicKey.signatureBytes)
    var target = signature.mutableSpan
    let done = unsafe message.withPointer { message, count in
      unsafe target.withPointer { into, room in
        var written = room
        return unsafe EVP_DigestSign(context, into, &written, message, count) == 1 && written == room
      }
    }
    guard done else { throw refused }
    return signature
  }

  /// PEM of the unencrypted PKCS#8.
  package borrowing func pkcs8PEM() throws(CryptographyError) -> SecretBytes { try key.pkcs8PEM() }
}
