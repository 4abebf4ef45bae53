// The RSA private keys of a resolver: the current one and former ones that old grants still need. The only thing
// they are asked for is an unwrap.

import Contracts
package import Cryptography
package import Secrets

package final class ResolverKeys: Unwrapper {
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

  package var keyIds: [String] { slots.map(\.keyId) }

  /// What grants are moved to.
  package var currentPublicKey: RSAPublicKey? { slots.first.map { $0.key.publicKey() } }

  package func unwrap(
    _ wrapped: Span<UInt8>, label: Span<UInt8>, keyId: String
  ) throws(CryptographyError) -> SecretBytes {
    guard let slot = slots.first(where: { $0.keyId == keyId }) else { throw .rejected }
    return try slot.key.decryptOAEP(wrapped, label: label)
  }
}
