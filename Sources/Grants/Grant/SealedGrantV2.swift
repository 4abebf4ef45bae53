// A v2 grant, both directions: the mission key wrapped with the whole claim as OAEP label.

package import Contracts
package import Cryptography
import Secrets

package enum SealedGrantV2 {
  /// The claims must name the key they are sealed for.
  package static func seal(
    _ key: borrowing MissionKeyV2, for resolver: RSAPublicKey, claims: GrantClaims
  ) throws(CryptographyError) -> GrantV2 {
    precondition(claims.keyId == resolver.keyIdHex, "a grant is sealed for the key that its claims name")
    let label = GrantLabel(claims).bytes
    let wrapped = try resolver.encryptOAEP(key.secret.bytes, label: label.span)
    return GrantV2(claims: claims, wrappedKey: wrapped)
  }

  /// The pure opening, from the JSON alone: configuration, shape, unwrap, then the claims that the unwrap has
  /// proved, so that nobody learns anything from a claim they edited themselves.
  package static func withOpen<Result: ~Copyable>(
    _ json: JSONValue, keys: some Unwrapper, user: Identifier, mission: Identifier, now: Instant,
    _ body: (borrowing OpenGrantV2) -> Result
  ) throws(GrantFailure) -> Result {
    guard !keys.isEmpty else { throw .refused(.notConfigured) }
    let grant: GrantV2
    do { grant = try GrantV2(json) } catch { throw .refused(.malformed) }
    return try withOpen(
      wrapped: grant.wrappedKey, label: GrantLabel(grant.claims), keys: keys, user: user, mission: mission, now: now,
      body)
  }

  /// The resolver's opening: wrap and claims come from the row that the issuer wrote, the clock from the database.
  package static func withOpen<Result: ~Copyable>(
    wrapped: [UInt8], label: GrantLabel, keys: some Unwrapper, user: Identifier, mission: Identifier, now: Instant,
    _ body: (borrowing OpenGrantV2) -> Result
  ) throws(GrantFailure) -> Result {
    let missionKey = try keys.unwrapV2(wrapped: wrapped, label: label)
    guard label.user == user, label.mission == mission else { throw .refused(.wrapRejected) }
    guard now < label.expiresAt else { throw .refused(.expired) }
    let grant = OpenGrantV2(missionKey: missionKey, label: label)
    return body(grant)
  }
}

/// A proved claim and the key to its keyring. It is lent, never given, so it cannot outlive the opening.
package struct OpenGrantV2: ~Copyable {
  package let label: GrantLabel
  private let missionKey: MissionKeyV2

  init(missionKey: consuming MissionKeyV2, label: GrantLabel) {
    self.missionKey = missionKey
    self.label = label
  }

  /// The record key in one keyring row. A row of another grant, record or table does not open.
  package borrowing func recordKey(
    _ record: RecordName, row: [UInt8], with cipher: inout AESGCM
  ) throws(FieldFailure) -> RecordKey {
    try KeyringRow.open(row, under: missionKey, grantId: label.grantId, record: record, with: &cipher)
  }
}
