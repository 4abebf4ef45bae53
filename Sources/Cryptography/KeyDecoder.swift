// DER to a key, in exactly one form: PKCS#8 for private keys, SPKI for public ones. OpenSSL's general decoder would
// also take the older forms, whatever form it is told to expect.

import COpenSSL

enum KeyDecoder {
  /// A key, what its algorithm identifier says it is, and how many bytes stand behind it.
  struct Decoded {
    /// Nil if the identifier is there and the key is not, or if OpenSSL does not know the algorithm.
    let key: KeyHandle?
    let kind: KeyKind
    let rest: Int
  }

  /// Nil if this is no PKCS#8. The numbers go from here to OpenSSL's locked heap; its copies on the way are wiped.
  static func pkcs8(_ der: Span<UInt8>) -> Decoded? {
    defer { ERR_clear_error() }
    return unsafe der.withPointer { start, count in
      var cursor: UnsafePointer<UInt8>? = unsafe start
      guard let info = unsafe d2i_PKCS8_PRIV_KEY_INFO(nil, &cursor, count) else { return nil }
      defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
      var algorithm: OpaquePointer?
      guard unsafe PKCS8_pkey_get0(&algorithm, nil, nil, nil, info) == 1 else { return nil }
      let key = unsafe EVP_PKCS82PKEY_ex(info, nil, nil)
      return unsafe Decoded(key: handle(key), kind: kind(algorithm), rest: count - distance(start, cursor))
    }
  }

  /// Nil if this is no SPKI.
  static func spki(_ der: Span<UInt8>) -> Decoded? {
    defer { ERR_clear_error() }
    return unsafe der.withPointer { start, count in
      var cursor: UnsafePointer<UInt8>? = unsafe start
      guard let info = unsafe d2i_X509_PUBKEY(nil, &cursor, count) else { return nil }
      defer { unsafe X509_PUBKEY_free(info) }
      var algorithm: OpaquePointer?
      guard unsafe X509_PUBKEY_get0_param(&algorithm, nil, nil, nil, info) == 1 else { return nil }
      let key = unsafe X509_PUBKEY_get(info)
      return unsafe Decoded(key: handle(key), kind: kind(algorithm), rest: count - distance(start, cursor))
    }
  }

  /// Only keys that live in a provider are locked as promised; the old kind would be a sign of a changed OpenSSL.
  private static func handle(_ key: OpaquePointer?) -> KeyHandle? {
    guard let key = unsafe key else { return nil }
    let owner = unsafe KeyHandle(owning: key)
    return unsafe EVP_PKEY_get0_provider(key) == nil ? nil : owner
  }

  private static func distance(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>?) -> Int {
    guard let end = unsafe end else { return 0 }
    return unsafe end - start
  }

  private static func kind(_ algorithm: OpaquePointer?) -> KeyKind {
    switch unsafe OBJ_obj2nid(algorithm) {
    case NID_rsaEncryption: .rsa
    case NID_rsassaPss: .rsaPSS
    case NID_rsaesOaep: .rsaOAEP
    case NID_ED25519: .ed25519
    case NID_X9_62_id_ecPublicKey: .ellipticCurve
    default: .other
    }
  }
}
