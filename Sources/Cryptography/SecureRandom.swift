// Random bytes from OpenSSL's generators, one per thread, reseeded after a fork.

import COpenSSL
package import Secrets

package enum SecureRandom {
  /// Public randomness: nonces, ids, salts.
  package static func bytes(_ count: Int) throws(CryptographyError) -> [UInt8] {
    _ = Cryptography.wipesWhatIsFreed
    let narrow = try int32(count)
    var made = [UInt8](repeating: 0, count: count)
    var span = made.mutableSpan
    defer { ERR_clear_error() }
    let drawn = unsafe span.withPointer { start, _ in unsafe RAND_bytes(start, narrow) }
    guard drawn == 1 else { throw refused }
    return made
  }

  /// A new key: from the generator that serves private values only, straight into locked memory.
  package static func secret(_ count: Int) throws(CryptographyError) -> SecretBytes {
    var made = try lockedBytes(count)
    var span = made.mutableBytes
    try fill(&span)
    return made
  }

  /// Fills memory of the caller's from the generator for private values.
  package static func fill(_ span: inout MutableSpan<UInt8>) throws(CryptographyError) {
    _ = Cryptography.wipesWhatIsFreed
    let count = try int32(span.count)
    defer { ERR_clear_error() }
    let drawn = unsafe span.withPointer { start, _ in unsafe RAND_priv_bytes(start, count) }
    guard drawn == 1 else { throw refused }
  }

  private static let refused = CryptographyError.broken("OpenSSL's random generator gave nothing")
}
