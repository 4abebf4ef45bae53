// The RSA private keys of a resolver: the current one and former ones that old grants still need. The only thing
// they are asked for is an unwrap.

import Contracts
package import Cryptography
import Secrets

package final class ResolverKeys: Sendable {
  private let slots: [Slot]

  /// A class, because an array cannot hold what has only one owner.
  private final class Slot: Sendable {
    let key: RSAPrivateKey
    let keyId: String

    init(_ key: consuming RSAPrivateKey) {
      keyId = key.publicKey().keyIdHex
      self.key = key
    }
  }

  /// No key at all: every grant is `not-configured`.
  package init() { slots = [] }

  package init(_ key: consuming RSAPrivateKey) { slots = [Slot(key)] }

  private init(slots: [Slot]) { self.slots = slots }

  /// The same keys and one more, tried last where the order counts.
  package func adding(_ key: consuming RSAPrivateKey) -> ResolverKeys {
    ResolverKeys(slots: slots + [Slot(key)])
  }

  package var isEmpty: Bool { slots.isEmpty }
  package var keyIds: [String] { slots.map(\.keyId) }

  /// v2: the key id chooses the key, and the label must be the one it was wrapped with.
  package func unwrapV2(wrapped: [UInt8], label: GrantLabel) throws(GrantFailure) -> MissionKeyV2 {
    guard !slots.isEmpty else { throw .refused(.notConfigured) }
    guard let slot = slots.first(where: { $0.keyId == label.keyId }) else { throw .refused(.wrapRejected) }
    // In a constant of its own: Swift 6.3 leaks a temporary whose Span is passed to a call that throws, and whoever
    // sends bad wraps would make us leak at will.
    let claims = label.bytes
    let secret: SecretBytes
    do {
      secret = try slot.key.decryptOAEP(wrapped.span, label: claims.span)
    } catch { throw .from(error, rejectedAs: .wrapRejected) }
    guard secret.count == MissionKeyV2.byteCount else { throw .refused(.wrapRejected) }
    return MissionKeyV2(secret)
  }

  /// v1 names no key: each is tried in order, with the empty label.
  package func unwrapV1(wrapped: [UInt8]) throws(GrantFailure) -> MissionKeyV1 {
    guard !slots.isEmpty else { throw .refused(.notConfigured) }
    for slot in slots {
      let secret: SecretBytes
      do {
        secret = try slot.key.decryptOAEP(wrapped.span, label: Span<UInt8>())
      } catch .rejected {
        continue
      } catch { throw .failed(error) }
      guard secret.count == MissionKeyV1.byteCount else { throw .refused(.malformed) }
      return MissionKeyV1(secret)
    }
    throw .refused(.wrapRejected)
  }
}
