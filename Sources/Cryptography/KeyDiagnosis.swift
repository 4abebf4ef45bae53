// What a refused key is instead. Only the advice depends on it: whatever is said here, the key stays refused.

import COpenSSL

enum KeyDiagnosis {
  static func explain(_ der: Span<UInt8>, _ form: KeyHandle.Form, _ wanted: KeyKind) -> KeyLoadError {
    defer { ERR_clear_error() }
    if KeyText.matches(der, at: 0, "-----BEGIN ") { return .base64WrappedPEM }
    if let found = kindOfPrivateKey(der) {
      if form == .publicKey { return .privateInsteadOfPublic }
      return found == wanted ? .malformed : .wrongType(found: found, wanted: wanted)
    }
    if let found = kindOfPublicKey(der) {
      if form == .privateKey { return .publicInsteadOfPrivate }
      return found == wanted ? .malformed : .wrongType(found: found, wanted: wanted)
    }
    if isEncrypted(der) { return form == .privateKey ? .encrypted : .privateInsteadOfPublic }
    if isCertificate(der) { return .wrongType(found: .certificate, wanted: wanted) }
    return explainOldForms(der, form, wanted)
  }

  /// PKCS#1 and SEC 1.
  private static func explainOldForms(
    _ der: Span<UInt8>, _ form: KeyHandle.Form, _ wanted: KeyKind
  ) -> KeyLoadError {
    if KeyDecoder.decode(der, .own, .rsa, halves: mandate_key_pair) != nil {
      if form == .publicKey { return .privateInsteadOfPublic }
      return wanted == .rsa ? .pkcs1 : .wrongType(found: .rsa, wanted: wanted)
    }
    if KeyDecoder.decode(der, .own, .rsa, halves: mandate_public_half) != nil {
      if form == .privateKey { return .publicInsteadOfPrivate }
      return wanted == .rsa ? .pkcs1Public : .wrongType(found: .rsa, wanted: wanted)
    }
    if KeyDecoder.decode(der, .own, .ellipticCurve, halves: mandate_key_pair) != nil {
      return .wrongType(found: .ellipticCurve, wanted: wanted)
    }
    return .malformed
  }

  private static func kindOfPrivateKey(_ der: Span<UInt8>) -> KeyKind? {
    unsafe der.withPointer { start, count in
      var cursor: UnsafePointer<UInt8>? = unsafe start
      guard let info = unsafe d2i_PKCS8_PRIV_KEY_INFO(nil, &cursor, count) else { return nil }
      defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
      var algorithm: OpaquePointer?
      guard unsafe PKCS8_pkey_get0(&algorithm, nil, nil, nil, info) == 1 else { return nil }
      return unsafe kind(algorithm)
    }
  }

  private static func kindOfPublicKey(_ der: Span<UInt8>) -> KeyKind? {
    unsafe der.withPointer { start, count in
      var cursor: UnsafePointer<UInt8>? = unsafe start
      guard let info = unsafe d2i_X509_PUBKEY(nil, &cursor, count) else { return nil }
      defer { unsafe X509_PUBKEY_free(info) }
      var algorithm: OpaquePointer?
      guard unsafe X509_PUBKEY_get0_param(&algorithm, nil, nil, nil, info) == 1 else { return nil }
      return unsafe kind(algorithm)
    }
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

  private static func isEncrypted(_ der: Span<UInt8>) -> Bool {
    unsafe der.withPointer { start, count in
      var cursor: UnsafePointer<UInt8>? = unsafe start
      let found = unsafe d2i_X509_SIG(nil, &cursor, count)
      defer { unsafe X509_SIG_free(found) }
      return unsafe found != nil
    }
  }

  private static func isCertificate(_ der: Span<UInt8>) -> Bool {
    unsafe der.withPointer { start, count in
      var cursor: UnsafePointer<UInt8>? = unsafe start
      let found = unsafe d2i_X509(nil, &cursor, count)
      defer { unsafe X509_free(found) }
      return unsafe found != nil
    }
  }
}
