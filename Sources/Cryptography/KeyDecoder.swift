// OpenSSL's decoder, told exactly which form and which kind of key to expect.

import COpenSSL

enum KeyDecoder {
  enum Structure {
    case pkcs8, spki
    /// PKCS#1 for RSA, SEC 1 for elliptic curves.
    case own

    fileprivate var name: String {
      switch self {
      case .pkcs8: "PrivateKeyInfo"
      case .spki: "SubjectPublicKeyInfo"
      case .own: "type-specific"
      }
    }
  }

  /// The key, and how many bytes stand behind it; nil if there is no such key.
  static func decode(
    _ der: Span<UInt8>, _ structure: Structure, _ kind: KeyKind, halves: Int32? = nil
  ) -> (KeyHandle, rest: Int)? {
    defer { ERR_clear_error() }
    let selection = halves ?? (structure == .spki ? mandate_public_half : mandate_key_pair)
    var key: OpaquePointer?
    guard
      let context = unsafe OSSL_DECODER_CTX_new_for_pkey(
        &key, "DER", structure.name, kind.openSSLName, selection, nil, nil)
    else { return nil }
    defer { unsafe OSSL_DECODER_CTX_free(context) }
    let (done, rest) = unsafe der.withPointer { start, count in
      var cursor: UnsafePointer<UInt8>? = unsafe start
      var rest = count
      let done = unsafe OSSL_DECODER_from_data(context, &cursor, &rest)
      return (done, rest)
    }
    guard let key = unsafe key else { return nil }
    let handle = unsafe KeyHandle(owning: key)
    return done == 1 ? (handle, rest) : nil
  }
}

extension KeyKind {
  /// What OpenSSL calls the kinds that can be asked for.
  var openSSLName: String {
    switch self {
    case .rsa: "RSA"
    case .rsaPSS, .rsaOAEP: "RSA-PSS"
    case .ed25519: "ED25519"
    case .ellipticCurve: "EC"
    case .certificate, .other: ""
    }
  }
}
