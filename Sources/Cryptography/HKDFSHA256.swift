// HKDF-SHA-256 (RFC 5869), with one OpenSSL context that is used again and again.

import COpenSSL
package import Secrets

/// `@safe`: both handles are private, belong to this value alone and are freed by `deinit` alone.
@safe
package struct HKDFSHA256: ~Copyable, Sendable {
  /// RFC 5869: the output is counted in one byte.
  package static let longestOutput = 255 * HMACSHA256.tagBytes
  /// Releases of OpenSSL 3 differ in how much info they take at once (32,768 bytes today). Longer info takes the
  /// other path, which has no such limit.
  private static let longestInfoAtOnce = 1024

  nonisolated(unsafe) private let context: OpaquePointer
  /// key, salt, info, end: filled in place for each call.
  nonisolated(unsafe) private let parameters: UnsafeMutablePointer<OSSL_PARAM>

  package init() throws(CryptographyError) {
    _ = Cryptography.wipesWhatIsFreed
    defer { ERR_clear_error() }
    guard let algorithm = unsafe Algorithms.hkdf else { throw Algorithms.absent }
    guard let made = unsafe EVP_KDF_CTX_new(algorithm) else { throw Self.refused }
    guard unsafe EVP_KDF_CTX_set_params(made, Parameters.digestSHA256) == 1 else {
      unsafe EVP_KDF_CTX_free(made)
      throw Self.refused
    }
    unsafe context = made
    unsafe parameters = .allocate(capacity: 4)
    unsafe parameters.initialize(repeating: OSSL_PARAM_construct_end(), count: 4)
  }

  deinit {
    unsafe EVP_KDF_CTX_free(context)
    unsafe parameters.deallocate()
  }

  /// Fills the whole of `output`. No key material stays in the context afterwards.
  package mutating func derive(
    ikm: Span<UInt8>, salt: Span<UInt8>, info: Span<UInt8>, into output: inout MutableSpan<UInt8>
  ) throws(CryptographyError) {
    guard output.count <= Self.longestOutput else { throw .tooLong }
    guard output.count > 0 else { return }
    // A context that has had info and is given empty info reads through a null pointer (OpenSSL 3.0).
    guard !ikm.isEmpty, !info.isEmpty, info.count <= Self.longestInfoAtOnce else {
      return try Self.deriveInParts(ikm: ikm, salt: salt, info: info, into: &output)
    }
    // An empty salt would leave the previous call's in place; RFC 5869 says that it means 32 zero bytes.
    let noSalt: [32 of UInt8] = .init(repeating: 0)
    let done = unsafe ikm.withPointer { key, keyCount in
      unsafe (salt.isEmpty ? noSalt.span : salt).withPointer { salt, saltCount in
        unsafe info.withPointer { info, infoCount in
          unsafe parameters[0] = Parameters.bytes("key", key, keyCount)
          unsafe parameters[1] = Parameters.bytes("salt", salt, saltCount)
          unsafe parameters[2] = Parameters.bytes("info", info, infoCount)
          return unsafe output.withPointer { unsafe EVP_KDF_derive(context, $0, $1, parameters) }
        }
      }
    }
    forgetKey()
    guard done == 1 else {
      output.wipe()
      throw forgetting(Self.refused)
    }
  }

  /// A new key in locked memory.
  package mutating func derive(
    ikm: Span<UInt8>, salt: Span<UInt8>, info: Span<UInt8>, count: Int = 32
  ) throws(CryptographyError) -> SecretBytes {
    guard count <= Self.longestOutput else { throw .tooLong }
    var made = try lockedBytes(count)
    var output = made.mutableBytes
    try derive(ikm: ikm, salt: salt, info: info, into: &output)
    return made
  }

  /// Setting an empty key makes OpenSSL wipe and free its copy of the last one.
  private mutating func forgetKey() {
    var none: UInt8 = 0
    unsafe withUnsafePointer(to: &none) { start in
      unsafe parameters[0] = Parameters.bytes("key", start, 0)
      unsafe parameters[1] = OSSL_PARAM_construct_end()
      _ = unsafe EVP_KDF_CTX_set_params(context, parameters)
    }
  }

  /// Extract and expand spelled out in HMAC, for inputs of any length.
  static func deriveInParts(
    ikm: Span<UInt8>, salt: Span<UInt8>, info: Span<UInt8>, into output: inout MutableSpan<UInt8>
  ) throws(CryptographyError) {
    var extracted = try lockedBytes(HMACSHA256.tagBytes)
    var extractedBytes = extracted.mutableBytes
    try HMACSHA256.authenticate(ikm, key: salt, into: &extractedBytes)

    var block = try lockedBytes(HMACSHA256.tagBytes)
    var (written, counter) = (0, UInt8(1))
    while written < output.count {
      var parts = try HMACParts(key: extracted.bytes)
      if counter > 1 { try parts.add(block.bytes) }
      try parts.add(info)
      let number = [counter]
      try parts.add(number.span)
      var blockBytes = block.mutableBytes
      try parts.finish(into: &blockBytes)
      let used = min(HMACSHA256.tagBytes, output.count - written)
      for index in 0..<used { output[written + index] = blockBytes[index] }
      written += used
      counter &+= 1
    }
  }

  private static let refused = CryptographyError.broken("OpenSSL refused HKDF-SHA-256")
}
