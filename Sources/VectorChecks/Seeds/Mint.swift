// What the reference minted a grant from: enough to mint it again with our code and to compare everything but the
// wrap, which is random.

import Contracts
import Cryptography
import Grants
import Secrets

struct Mint: Sendable {
  let masterKey: [UInt8]
  let issuedAt: Instant
  /// Nil for the standard lifetime.
  let wanted: Double?
  let missionKey: [UInt8]
  let publicKeyId: String

  init(_ fields: CaseFields) throws(CaseProblem) {
    masterKey = try fields.hex("masterKeyHex")
    issuedAt = Instant(milliseconds: Int64(try fields.integer("issuedAtMs")))
    guard Instant.range.contains(issuedAt) else { throw CaseProblem(why: "issuedAtMs is beyond the year 9999") }
    let ttl = try fields.value("ttlMs")
    guard ttl.isNull || ttl.number != nil else { throw CaseProblem(why: "ttlMs is neither a number nor null") }
    wanted = ttl.number?.double
    missionKey = try fields.hex("mdkHex")
    publicKeyId = try fields.text("publicKeyId")
  }

  /// Tags of cases whose stored grant was changed after it was minted, by what was changed.
  private static let changesDerivation: Set<String> = ["derivation"]
  private static let changesExpiry: Set<String> = ["date-format", "wrong-type", "missing-field", "js-coercion"]
  /// A case about absent or mistyped members may lack any of them; a grant without one cannot be held against another.
  private static let mayLackMembers: Set<String> = ["missing-field", "wrong-type"]

  /// Nil where minting again gives the stored grant.
  func difference(from grant: JSONValue, tags: Set<String>, sealedFor key: RSAPublicKey) -> String? {
    let expiresAt = GrantLifetime.expiry(issuedAt: issuedAt, wanted: wanted)
    guard Instant.range.contains(expiresAt) else { return "an expiry beyond the year 9999" }
    if tags.isDisjoint(with: Self.changesExpiry), grant["expiresAt"]?.text != expiresAt.iso {
      return "another expiry"
    }
    guard tags.isDisjoint(with: Self.changesDerivation) else { return nil }
    let isWhole = grant["issuedAt"]?.text != nil && StoredDerivation(grant) != nil
    guard isWhole || tags.isDisjoint(with: Self.mayLackMembers) else { return nil }
    guard grant["issuedAt"]?.text == issuedAt.iso else { return "another issue date" }
    guard let stored = StoredDerivation(grant) else { return "the derivation is not one of version 1" }
    // Turned round, so that the order in the file proves nothing by itself.
    let derivation = GrantV1.Derivation(
      missionId: stored.missionId, tables: stored.tables.reversed(), recordIds: stored.recordIds.reversed())
    guard derivation.tables.map({ Identifier($0) }) == stored.tables.map({ Identifier($0) }),
      derivation.recordIds.map({ Identifier($0) }) == stored.recordIds.map({ Identifier($0) })
    else { return "the stored derivation is not sorted" }
    return mintingDifference(
      derivation, expiresAt, grant, key, comparesExpiry: tags.isDisjoint(with: Self.changesExpiry))
  }

  private func mintingDifference(
    _ derivation: GrantV1.Derivation, _ expiresAt: Instant, _ grant: JSONValue, _ key: RSAPublicKey,
    comparesExpiry: Bool
  ) -> String? {
    do throws(MintFailure) {
      let again = try mint(derivation, expiresAt, for: key)
      var (ours, theirs) = (again.json, grant)
      let changed = ["wrappedKey"] + (comparesExpiry ? [] : ["expiresAt"])
      for name in changed { (ours, theirs) = (ours.blanking(name), theirs.blanking(name)) }
      // Byte for byte, so the order of the members counts.
      return ours.compactBytes() == theirs.compactBytes() ? nil : "another grant object"
    } catch { return error.why }
  }

  private struct MintFailure: Error {
    let why: String
  }

  private func mint(
    _ derivation: GrantV1.Derivation, _ expiresAt: Instant, for resolver: RSAPublicKey
  ) throws(MintFailure) -> GrantV1 {
    do {
      let master = try SecretBytes(copying: masterKey.span)
      var deriver = try KeyDeriver()
      let key = try deriver.missionKeyV1(
        master: master, mission: derivation.missionId, tables: derivation.tables, recordIds: derivation.recordIds)
      let isRight = key.equals(missionKey.span)
      guard isRight else { throw MintFailure(why: "another mission key was derived") }
      return try SealedGrantV1.seal(
        key, for: resolver, derivation: derivation, issuedAt: issuedAt, expiresAt: expiresAt)
    } catch let failure as MintFailure {
      throw failure
    } catch { throw MintFailure(why: "our own failure: \(error)") }
  }
}

private struct StoredDerivation {
  let missionId: String
  let tables: [String]
  let recordIds: [String]

  init?(_ grant: JSONValue) {
    guard let derivation = grant["derivation"], derivation["version"]?.text == "v1",
      let missionId = derivation["missionId"]?.text, let tables = derivation["tables"]?.texts,
      let recordIds = derivation["recordIds"]?.texts
    else { return nil }
    (self.missionId, self.tables, self.recordIds) = (missionId, tables, recordIds)
  }
}

extension JSONValue {
  /// The same object without what the member holds.
  fileprivate func blanking(_ name: String) -> JSONValue {
    guard var object else { return self }
    object.set(name, .null)
    return .object(object)
  }
}
