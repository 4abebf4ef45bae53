// The public half of an RSA key, named by its own bytes.

import COpenSSL

package struct RSAPublicKey: Sendable, Equatable {
  private let key: KeyHandle
  /// The canonical DER; what it hashes to is the key's name.
  package let spki: [UInt8]
  /// SHA-256 of `spki`.
  package let fingerprint: [UInt8]

  package init(pem: Span<UInt8>) throws(KeyLoadError) {
    let text = try KeyText(pem)
    try self.init(spki: text.bytes)
  }

  package init(spki der: Span<UInt8>) throws(KeyLoadError) {
    let loaded = try KeyHandle.load(der, .publicKey, .rsa)
    try loaded.checkRSA()
    key = loaded
    spki = try loaded.subjectPublicKeyInfo()
    fingerprint = SHA256.digest(spki)
  }

  package static func == (left: RSAPublicKey, right: RSAPublicKey) -> Bool { left.spki == right.spki }

  package var bits: Int { key.bits }

  /// The first 16 bytes of the fingerprint.
  package var keyId: [UInt8] { Array(fingerprint.prefix(16)) }

  /// The key id as grants and file names spell it.
  package var keyIdHex: String { lowerHex(keyId) }

  package func pem() -> String { publicPEM(spki) }

  /// Seals for the owner of the private half. RSA leaves room for the modulus minus two hashes and two bytes:
  /// 190 bytes with 2048 bits and SHA-256.
  package func encryptOAEP(
    _ plaintext: Span<UInt8>, label: Span<UInt8>, hash: OAEPHash = .sha256, mgf: OAEPHash = .sha256
  ) throws(CryptographyError) -> [UInt8] {
    guard plaintext.count <= key.size - 2 * hash.bytes - 2 else { throw .tooLong }
    defer { ERR_clear_error() }
    var made = [UInt8](repeating: 0, count: key.size)
    var target = made.mutableSpan
    let done = try unsafe OAEP.withContext(
      key, label: label, hash: hash, mgf: mgf, start: EVP_PKEY_encrypt_init_ex
    ) { context throws(CryptographyError) in
      unsafe plaintext.withPointer { from, count in
        unsafe target.withPointer { into, room in
          var written = room
          return unsafe EVP_PKEY_encrypt(context, into, &written, from, count) == 1 && written == room
        }
      }
    }
    guard done else { throw .broken("OpenSSL refused to encrypt with RSA-OAEP") }
    return made
  }
}

/// Lower-case hex of public bytes.
func lowerHex(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
