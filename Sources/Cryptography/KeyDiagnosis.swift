// What a refused key is instead. Only the advice depends on it: whatever is said here, the key stays refused.

import COpenSSL

enum KeyDiagnosis {
  /// For bytes that are neither PKCS#8 nor SPKI, or not the one that is wanted.
  static func explain(_ der: Span<UInt8>, _ form: KeyHandle.Form, _ wanted: KeyKind) -> KeyLoadError {
    defer { ERR_clear_error() }
    if KeyText.matches(der, at: 0, "-----BEGIN ") { return .base64WrappedPEM }
    switch form {
    case .privateKey:
      if KeyDecoder.spki(der) != nil || isCertificate(der) { return .publicInsteadOfPrivate }
      if isEncrypted(der) { return .encrypted }
    case .publicKey:
      if KeyDecoder.pkcs8(der) != nil || isEncrypted(der) { return .privateInsteadOfPublic }
      if isCertificate(der) { return .wrongType(found: .certificate, wanted: wanted) }
    }
    return explainOldForms(der, form, wanted)
  }

  /// PKCS#1 and SEC 1.
  private static func explainOldForms(
    _ der: Span<UInt8>, _ form: KeyHandle.Form, _ wanted: KeyKind
  ) -> KeyLoadError {
    if let found = oldPrivateKey(der) {
      if form == .publicKey { return .privateInsteadOfPublic }
      return found == .rsa && wanted == .rsa ? .pkcs1 : .wrongType(found: found, wanted: wanted)
    }
    if isOldPublicKey(der) {
      if form == .privateKey { return .publicInsteadOfPrivate }
      return wanted == .rsa ? .pkcs1Public : .wrongType(found: .rsa, wanted: wanted)
    }
    return .malformed
  }

  private static func oldPrivateKey(_ der: Span<UInt8>) -> KeyKind? {
    unsafe der.withPointer { start, count in
      var cursor: UnsafePointer<UInt8>? = unsafe start
      guard let key = unsafe d2i_AutoPrivateKey_ex(nil, &cursor, count, nil, nil) else { return nil }
      defer { unsafe EVP_PKEY_free(key) }
      if unsafe EVP_PKEY_is_a(key, KeyKind.rsa.openSSLName.characters) == 1 { return .rsa }
      return unsafe EVP_PKEY_is_a(key, KeyKind.ellipticCurve.openSSLName.characters) == 1 ? .ellipticCurve : .other
    }
  }

  private static func isOldPublicKey(_ der: Span<UInt8>) -> Bool {
    unsafe der.withPointer { start, count in
      var cursor: UnsafePointer<UInt8>? = unsafe start
      let found = unsafe d2i_PublicKey(EVP_PKEY_RSA, nil, &cursor, count)
      defer { unsafe EVP_PKEY_free(found) }
      return unsafe found != nil
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
