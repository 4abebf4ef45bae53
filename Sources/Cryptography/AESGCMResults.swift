// AES-GCM for callers that want the result in a new home rather than in memory of their own.

package import Secrets

extension AESGCM {
  /// Ciphertext and tag, which anyone may see.
  package mutating func seal(
    _ plaintext: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, aad: Span<UInt8>
  ) throws(CryptographyError) -> [UInt8] {
    guard plaintext.count <= Self.longestMessage else { throw .tooLong }
    var sealed = [UInt8](repeating: 0, count: plaintext.count + Self.tagBytes)
    var output = sealed.mutableSpan
    try seal(plaintext, key: key, iv: iv, aad: aad, into: &output)
    return sealed
  }

  /// Opened user data: wiped when its owner ends.
  package mutating func open(
    _ sealed: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, aad: Span<UInt8>
  ) throws(CryptographyError) -> WipedBytes {
    guard sealed.count >= Self.tagBytes else { throw .rejected }
    var opened = WipedBytes()
    opened.resize(to: sealed.count - Self.tagBytes)
    var output = opened.mutableBytes
    try open(sealed, key: key, iv: iv, aad: aad, into: &output)
    return opened
  }

  /// An opened key: in locked memory from its first byte.
  package mutating func open(
    _ sealed: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, aad: Span<UInt8>
  ) throws(CryptographyError) -> SecretBytes {
    guard sealed.count >= Self.tagBytes else { throw .rejected }
    var opened = try lockedBytes(sealed.count - Self.tagBytes)
    var output = opened.mutableBytes
    try open(sealed, key: key, iv: iv, aad: aad, into: &output)
    return opened
  }
}
