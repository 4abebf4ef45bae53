// Whoever holds the private keys of a resolver. It is asked for one thing, so that it may as well be a machine that
// never lets a key out.

package import Cryptography
package import Secrets

package protocol Unwrapper: Sendable {
  /// The current key first, then the former ones that old grants still need. Empty where there is none: every grant is
  /// `not-configured` then.
  var keyIds: [String] { get }

  /// RSA-OAEP with SHA-256 and MGF1-SHA-256. Whatever is wrong with the bytes, their label or the key is `.rejected`,
  /// and so is a key id that is not one of `keyIds`.
  func unwrap(
    _ wrapped: Span<UInt8>, label: Span<UInt8>, keyId: String
  ) throws(CryptographyError) -> SecretBytes
}

extension Unwrapper {
  package var isEmpty: Bool { keyIds.isEmpty }

  /// v2: the key id chooses the key, and the label must be the one it was wrapped with.
  package func unwrapV2(wrapped: [UInt8], label: GrantLabel) throws(GrantFailure) -> MissionKeyV2 {
    guard !isEmpty else { throw .refused(.notConfigured) }
    // In a constant of its own: Swift 6.3 leaks a temporary whose Span is passed to a call that throws, and whoever
    // sends bad wraps would make us leak at will.
    let claims = label.bytes
    let secret: SecretBytes
    do {
      secret = try unwrap(wrapped.span, label: claims.span, keyId: label.keyId)
    } catch { throw .from(error, rejectedAs: .wrapRejected) }
    guard secret.count == MissionKeyV2.byteCount else { throw .refused(.wrapRejected) }
    return MissionKeyV2(secret)
  }

  /// v1 names no key: each is tried in order, with the empty label.
  package func unwrapV1(wrapped: [UInt8]) throws(GrantFailure) -> MissionKeyV1 {
    guard !isEmpty else { throw .refused(.notConfigured) }
    for keyId in keyIds {
      let secret: SecretBytes
      do {
        secret = try unwrap(wrapped.span, label: Span<UInt8>(), keyId: keyId)
      } catch .rejected {
        continue
      } catch { throw .failed(error) }
      guard secret.count == MissionKeyV1.byteCount else { throw .refused(.malformed) }
      return MissionKeyV1(secret)
    }
    throw .refused(.wrapRejected)
  }
}
