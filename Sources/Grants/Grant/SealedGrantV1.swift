// A v1 grant, both directions: 32 bytes wrapped with an empty label, everything else beside them in the clear.

package import Contracts
package import Cryptography
import Secrets

package enum SealedGrantV1 {
  package static func seal(
    _ key: borrowing MissionKeyV1, for resolver: RSAPublicKey, derivation: GrantV1.Derivation, issuedAt: Instant,
    expiresAt: Instant
  ) throws(CryptographyError) -> GrantV1 {
    let wrapped = try resolver.encryptOAEP(key.secret.bytes, label: Span<UInt8>())
    return GrantV1(
      wrappedKey: Base64.encode(wrapped.span), derivation: derivation, issuedAt: issuedAt.iso,
      expiresAt: expiresAt.iso)
  }

  /// The seeds' order: configuration, expiry, base64, RSA, length; then the allowlist (deviation 2). The opened
  /// grant is lent to `body` and wiped when that returns.
  package static func withOpen<Result: ~Copyable>(
    _ json: JSONValue, keys: some Unwrapper, now: Instant, _ body: (borrowing OpenGrantV1) -> Result
  ) throws(GrantFailure) -> Result {
    guard !keys.isEmpty else { throw .refused(.notConfigured) }
    let stored = StoredGrantV1(json)
    guard let expiresAt = stored.expiresAt, expiresAt >= now else { throw .refused(.expired) }
    guard let text = stored.wrappedKey, case let characters = Array(text.utf8),
      let wrapped = Base64.decodeForgiving(characters.span)
    else { throw .refused(.malformed) }
    let missionKey = try keys.unwrapV1(wrapped: wrapped)
    guard let recordIds = stored.recordIds else { throw .refused(.malformed) }
    let grant = OpenGrantV1(missionKey: missionKey, allowed: Set(recordIds.map { Identifier($0) }))
    return body(grant)
  }
}

/// A mission key and the list beside it. The list is not proved by anything.
package struct OpenGrantV1: ~Copyable {
  package let missionKey: MissionKeyV1
  private let allowed: Set<Identifier>

  init(missionKey: consuming MissionKeyV1, allowed: Set<Identifier>) {
    self.missionKey = missionKey
    self.allowed = allowed
  }

  /// `table:id` as the seeds join it, ambiguous where either part holds a `:` (flaw 33).
  package borrowing func allows(table: String, record: String) -> Bool {
    allowed.contains(Identifier(table + ":" + record))
  }
}
