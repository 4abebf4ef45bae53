// The public half of an Ed25519 key (RFC 8032).

import COpenSSL

package struct Ed25519PublicKey: Sendable, Equatable {
  package static let rawBytes = 32
  package static let signatureBytes = 64

  private let key: KeyHandle
  package let raw: [UInt8]
  package let spki: [UInt8]

  package init(pem: Span<UInt8>) throws(KeyLoadError) {
    let text = try KeyText(pem)
    try self.init(spki: text.bytes)
  }

  package init(spki der: Span<UInt8>) throws(KeyLoadError) {
    try self.init(KeyHandle.load(der, .publicKey, .ed25519))
  }

  /// The 32 bytes of RFC 8032, as a JWK has them.
  package init(raw: Span<UInt8>) throws(KeyLoadError) {
    guard raw.count == Self.rawBytes else { throw .malformed }
    _ = Cryptography.wipesWhatIsFreed
    defer { ERR_clear_error() }
    let made = unsafe raw.withPointer { start, count in
      unsafe EVP_PKEY_new_raw_public_key_ex(nil, KeyKind.ed25519.openSSLName.characters, nil, start, count)
    }
    guard let made = unsafe made else { throw .malformed }
    try self.init(unsafe KeyHandle(owning: made))
  }

  init(_ loaded: KeyHandle) throws(KeyLoadError) {
    defer { ERR_clear_error() }
    var bytes = [UInt8](repeating: 0, count: Self.rawBytes)
    var span = bytes.mutableSpan
    let done = unsafe span.withPointer { start, room in
      var written = room
      return unsafe EVP_PKEY_get_raw_public_key(loaded.pointer, start, &written) == 1 && written == room
    }
    guard done else { throw .door(.broken("OpenSSL could not write a public key")) }
    key = loaded
    raw = bytes
    spki = try loaded.subjectPublicKeyInfo()
  }

  package static func == (left: Ed25519PublicKey, right: Ed25519PublicKey) -> Bool { left.raw == right.raw }

  package func pem() -> String { publicPEM(spki) }

  /// Returns if the signature is this key's over exactly this message, and throws `.rejected` otherwise: a result
  /// that cannot be forgotten.
  package func verify(signature: Span<UInt8>, message: Span<UInt8>) throws(CryptographyError) {
    guard signature.count == Self.signatureBytes else { throw .rejected }
    defer { ERR_clear_error() }
    guard let context = unsafe EVP_MD_CTX_new() else { throw .broken("OpenSSL has no memory for a signature") }
    defer { unsafe EVP_MD_CTX_free(context) }
    guard unsafe EVP_DigestVerifyInit_ex(context, nil, nil, nil, nil, key.pointer, nil) == 1 else {
      throw .broken("OpenSSL refused an Ed25519 key")
    }
    let valid = unsafe signature.withPointer { signature, signatureCount in
      unsafe message.withPointer { message, count in
        unsafe EVP_DigestVerify(context, signature, signatureCount, message, count)
      }
    }
    guard valid == 1 else { throw .rejected }
  }
}
