// HMAC-SHA-256 (RFC 2104), in one call or in parts.

import COpenSSL

package enum HMACSHA256 {
  package static let tagBytes = 32

  /// For tags that are themselves keys: written where the caller says, which must be exactly 32 bytes.
  package static func authenticate(
    _ message: Span<UInt8>, key: Span<UInt8>, into tag: inout MutableSpan<UInt8>
  ) throws(CryptographyError) {
    var parts = try HMACParts(key: key)
    try parts.add(message)
    try parts.finish(into: &tag)
  }

  /// For tags that anyone may see.
  package static func authenticate(
    _ message: Span<UInt8>, key: Span<UInt8>
  ) throws(CryptographyError) -> [UInt8] {
    var made = [UInt8](repeating: 0, count: tagBytes)
    var tag = made.mutableSpan
    try authenticate(message, key: key, into: &tag)
    return made
  }
}

/// One computation under one key. `@safe`: the handle is private and freed, and thereby wiped, by `deinit` alone.
@safe
struct HMACParts: ~Copyable {
  private let context: OpaquePointer

  init(key: Span<UInt8>) throws(CryptographyError) {
    _ = Cryptography.wipesWhatIsFreed
    defer { ERR_clear_error() }
    guard let algorithm = unsafe Algorithms.hmac else { throw Algorithms.absent }
    guard let made = unsafe EVP_MAC_CTX_new(algorithm) else { throw Self.refused }
    let ready = unsafe key.withPointer { start, count in
      unsafe EVP_MAC_init(made, start, count, Parameters.digestSHA256)
    }
    guard ready == 1 else {
      unsafe EVP_MAC_CTX_free(made)
      throw Self.refused
    }
    unsafe context = made
  }

  deinit { unsafe EVP_MAC_CTX_free(context) }

  mutating func add(_ bytes: Span<UInt8>) throws(CryptographyError) {
    defer { ERR_clear_error() }
    let done = unsafe bytes.withPointer { start, count in unsafe EVP_MAC_update(context, start, count) }
    guard done == 1 else { throw Self.refused }
  }

  mutating func finish(into tag: inout MutableSpan<UInt8>) throws(CryptographyError) {
    precondition(tag.count == HMACSHA256.tagBytes, "an HMAC-SHA-256 tag has 32 bytes")
    defer { ERR_clear_error() }
    var written = 0
    let done = unsafe tag.withPointer { start, count in unsafe EVP_MAC_final(context, start, &written, count) }
    guard done == 1, written == HMACSHA256.tagBytes else { throw Self.refused }
  }

  private static let refused = CryptographyError.broken("OpenSSL refused HMAC-SHA-256")
}
