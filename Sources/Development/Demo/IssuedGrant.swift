// A grant as the issuer leaves it behind, and reading one field through it the way the resolver does.

import Contracts
import Cryptography
import Grants
import Secrets

/// How a reading ended when it gave nothing.
enum Refused: Error {
  case grant(GrantFailure)
  case field(FieldFailure)

  /// The word that the audit would show.
  var word: String {
    switch self {
    case .grant(.refused(let reason)): reason.rawValue
    case .field(.refused(let reason)): reason.rawValue
    case .grant(.failed(let error)), .field(.failed(let error)): "failed: \(error)"
    }
  }
}

extension Result<String, Refused> {
  var word: String {
    switch self {
    case .success(let text): "opened: \(text)"
    case .failure(let refused): refused.word
    }
  }
}

struct IssuedGrant {
  let grant: GrantV2
  var keyring: [RecordName: [UInt8]] = [:]

  var json: JSONValue { grant.json }

  init(_ world: borrowing World) throws {
    let scope = try Scope(of: [world.note, world.task])
    let claims = GrantClaims(
      grantId: Identifier("5e8f3c9a-0000-4000-8000-00000000da7a"), keyId: world.resolver.keyIdHex, user: world.user,
      mission: world.mission, scope: scope, issuedAt: world.now,
      expiresAt: GrantLifetime.expiry(issuedAt: world.now, wanted: nil))
    var deriver = try KeyDeriver()
    var cipher = try AESGCM()
    let missionKey = try deriver.missionKeyV2(
      master: world.master, user: world.user, mission: world.mission, grantId: claims.grantId, scope: scope)
    grant = try SealedGrantV2.seal(missionKey, for: world.resolver, claims: claims)
    for name in scope.records {
      let recordKey = try deriver.recordKey(master: world.master, user: world.user, record: name)
      keyring[name] = try KeyringRow.seal(
        recordKey, under: missionKey, grantId: claims.grantId, record: name,
        nonce: try SecureRandom.bytes(KeyringRow.nonceBytes), with: &cipher)
    }
  }

  /// Opens one field of one record through this grant's own JSON.
  func read(
    _ name: RecordName, _ field: String, of record: JSONObject?, keys: ResolverKeys, user: Identifier, now: Instant
  ) -> Result<String, Refused> {
    Self.read(
      name, field, of: record, through: json, row: keyring[name], keys: keys, user: user,
      mission: grant.claims.mission, now: now)
  }

  static func read(
    _ name: RecordName, _ field: String, of record: JSONObject?, through json: JSONValue, row: [UInt8]?,
    keys: ResolverKeys, user: Identifier, mission: Identifier, now: Instant
  ) -> Result<String, Refused> {
    do {
      return try SealedGrantV2.withOpen(json, keys: keys, user: user, mission: mission, now: now) { open in
        guard let row, let record else { return .failure(.field(.refused(.notGranted))) }
        return Result { () throws(FieldFailure) in
          try readField(name, field, of: record, row: row, grant: open)
        }.mapError(Refused.field)
      }
    } catch { return .failure(.grant(error)) }
  }

  private static func readField(
    _ name: RecordName, _ field: String, of record: JSONObject, row: [UInt8], grant: borrowing OpenGrantV2
  ) throws(FieldFailure) -> String {
    var codec: FieldCodec
    do { codec = try FieldCodec() } catch { throw .failed(error) }
    let key = try grant.recordKey(name, row: row, with: &codec.cipher)
    let opened = try codec.openRecord2(record, fields: [field], key: key, user: grant.label.user, name: name)
    return opened.copyOfField(field)?.text ?? ""
  }
}
