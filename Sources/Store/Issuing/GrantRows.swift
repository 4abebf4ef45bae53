// Grants as the issuer writes and lists them. A grant and its key shares are written in one transaction, behind the
// user's lock and after the closing of the grant that the mission had before.

package import Contracts
package import Postgres

package struct NewGrant: Sendable {
  package let claims: GrantClaims
  package let wrappedKey: [UInt8]
  /// The label of the wrap, byte for byte; the table checks it against the columns.
  package let label: [UInt8]
  /// One per record of the scope, in its order.
  package let shares: [[UInt8]]
  package let purpose: String?
  /// Until then it may be extended without asking the user.
  package let renewableUntil: Instant

  package init(
    claims: GrantClaims, wrappedKey: [UInt8], label: [UInt8], shares: [[UInt8]], purpose: String?,
    renewableUntil: Instant
  ) {
    self.claims = claims
    self.wrappedKey = wrappedKey
    self.label = label
    self.shares = shares
    self.purpose = purpose
    self.renewableUntil = renewableUntil
  }
}

package enum GrantRows {
  /// The row and its key shares.
  package static func insert(_ grant: NewGrant) -> [BoundStatement] {
    let claims = grant.claims
    return [
      inserting.bind(
        .text(claims.grantId.text), .utf8(claims.user.utf8), .utf8(claims.mission.utf8), .text(claims.keyId),
        .bytes(grant.wrappedKey), .bytes(grant.label), .timestamp(claims.issuedAt.timestamp),
        .timestamp(claims.expiresAt.timestamp), .timestamp(grant.renewableUntil.timestamp),
        .textArray(claims.scope.recordIds), .text(grant.purpose)),
      insertingShares.bind(
        .text(claims.grantId.text), .utf8(claims.user.utf8), .utf8Array(claims.scope.records.map(\.table.utf8)),
        .utf8Array(claims.scope.records.map(\.record.utf8)), .bytesArray(grant.shares)),
    ]
  }

  /// Writes the grant's JSON onto its mission.
  package static func attach(_ blob: JSONValue, mission: Identifier, of scope: UserScope) -> BoundStatement {
    attaching.bind(.utf8(scope.user.utf8), .utf8(mission.utf8), .json(blob))
  }

  /// False where the log has no such mission, or has deleted it.
  package static func decodeAttached(_ rows: Rows) throws(PostgresError) -> Bool {
    try rows.only().get(0, as: String.self) == "attached"
  }

  private static let inserting = Statement(
    """
    INSERT INTO mana_ai.grants (grant_id, user_id, mission_id, version, key_id, wrapped_key, claims, issued_at,
      expires_at, renewable_until, record_ids, purpose)
    VALUES ($1, $2, $3, 'v2', $4, $5, $6, $7, $8, $9, $10, $11)
    """, .text, .text, .text, .text, .bytea, .bytea, .timestamptz, .timestamptz, .timestamptz, .textArray, .text)
  private static let insertingShares = Statement(
    """
    INSERT INTO mana_ai.grant_keys (grant_id, user_id, table_name, record_id, wrapped_key)
    SELECT $1, $2, s.table_name, s.record_id, s.wrapped_key
    FROM unnest($3, $4, $5) AS s (table_name, record_id, wrapped_key)
    """, .text, .text, .textArray, .textArray, .byteaArray)
  private static let attaching = Statement("SELECT mana_ai.attach_grant($1, $2, $3)", .text, .text, .jsonb)
}

extension Instant {
  /// Every instant of ours is one of the server's too.
  package var timestamp: PostgresTimestamp {
    PostgresTimestamp(unixMicroseconds: milliseconds * 1_000) ?? .infinity
  }
}

extension PostgresTimestamp {
  /// To the millisecond below; nil for what JSON can't spell.
  package var instant: Instant? {
    guard let microseconds = unixMicroseconds else { return nil }
    let instant = Instant(milliseconds: (microseconds - (microseconds % 1_000 + 1_000) % 1_000) / 1_000)
    return Instant.range.contains(instant) ? instant : nil
  }
}
