// The one owner of an EVP_PKEY, and the one way in which DER becomes one.

import COpenSSL

/// `@safe`: the handle is freed by `deinit` alone. OpenSSL lets many threads use one key at once, as long as none
/// changes it, and nothing here does.
@safe
final class KeyHandle: Sendable {
  nonisolated(unsafe) let pointer: OpaquePointer

  init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

  deinit { unsafe EVP_PKEY_free(pointer) }

  enum Form {
    /// PKCS#8, unencrypted.
    case privateKey
    /// SPKI.
    case publicKey
  }

  /// Exactly one key of the wanted kind and form, to the last byte.
  static func load(_ der: Span<UInt8>, _ form: Form, _ kind: KeyKind) throws(KeyLoadError) -> KeyHandle {
    guard !der.isEmpty else { throw .empty }
    guard der.count <= KeyText.longestText else { throw .tooLong }
    _ = Cryptography.wipesWhatIsFreed
    if form == .privateKey {
      // Private numbers go where OpenSSL keeps them locked, or nowhere.
      do { try Cryptography.lockHeap() } catch { throw .door(error) }
    }
    guard let decoded = form == .privateKey ? KeyDecoder.pkcs8(der) : KeyDecoder.spki(der) else {
      throw KeyDiagnosis.explain(der, form, kind)
    }
    guard decoded.rest == 0 else { throw .trailingData }
    guard decoded.kind == kind else { throw .wrongType(found: decoded.kind, wanted: kind) }
    guard let key = decoded.key else { throw .malformed }
    // One public key has one spelling: what is not the DER that OpenSSL would write itself is refused.
    if form == .publicKey {
      let canonical = try key.subjectPublicKeyInfo()
      guard canonical.count == der.count, canonical.indices.allSatisfy({ canonical[$0] == der[$0] }) else {
        throw .malformed
      }
    }
    return key
  }

  /// SPKI of the public half.
  func subjectPublicKeyInfo() throws(KeyLoadError) -> [UInt8] {
    defer { ERR_clear_error() }
    let count = Int(unsafe i2d_PUBKEY(pointer, nil))
    guard count > 0 else { throw .door(.broken("OpenSSL could not write a public key")) }
    var made = [UInt8](repeating: 0, count: count)
    var span = made.mutableSpan
    let written = unsafe span.withPointer { start, _ in
      var cursor: UnsafeMutablePointer<UInt8>? = unsafe start
      return unsafe i2d_PUBKEY(pointer, &cursor)
    }
    guard Int(written) == count else { throw .door(.broken("OpenSSL could not write a public key")) }
    return made
  }

  var bits: Int { Int(unsafe EVP_PKEY_get_bits(pointer)) }

  /// Bytes of the modulus, and so of every ciphertext.
  var size: Int { Int(unsafe EVP_PKEY_get_size(pointer)) }

  /// 2048 to 4096 bits and the exponent that everybody uses.
  func checkRSA() throws(KeyLoadError) {
    guard bits >= 2048 else { throw .tooSmall(bits: bits) }
    guard bits <= 4096 else { throw .tooLarge(bits: bits) }
    defer { ERR_clear_error() }
    var exponent: OpaquePointer?
    defer { unsafe BN_free(exponent) }
    guard unsafe EVP_PKEY_get_bn_param(pointer, "e", &exponent) == 1, unsafe BN_is_word(exponent, 65537) == 1 else {
      throw .oddExponent
    }
  }
}
