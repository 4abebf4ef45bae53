// The audit as its user reads it: one entry for each receipt, with the last thing that is known of it, the newest
// first. Rows from before the chain come after all others, as they are older than any of it.

package import Contracts
package import Postgres

package struct AuditListEntry: Sendable {
  package let id: Int64
  package let mission: String
  package let iteration: String?
  package let table: String
  package let record: String
  /// The last one: what failed after its receipt was opened reads `failed`.
  package let status: String
  package let reason: String?
  package let at: PostgresTimestamp
  /// Nil, like all that follows, for rows from before the chain.
  package let seq: Int64?
  package let hash: [UInt8]?
  package let grant: String?
  package let purpose: String?
  /// Whether a key share may have left the database for it, whatever came after.
  package let keyReleased: Bool
}

package enum UserAudit {
  package static let mostRows = 1_000

  /// `before` is the id of the last entry that was seen.
  package static func list(
    _ scope: UserScope, mission: Identifier?, before: Int64?, limit: Int
  ) -> BoundStatement {
    (mission == nil ? listing : listingMission).bind(
      .utf8(scope.user.utf8), .utf8(mission?.utf8), .int8(before), .int4(Int32(limit)))
  }

  package static func decode(_ rows: Rows) throws(PostgresError) -> [AuditListEntry] {
    var entries: [AuditListEntry] = []
    for row in rows {
      entries.append(
        AuditListEntry(
          id: try row.get(0), mission: try row.get(1), iteration: try row.get(2), table: try row.get(3),
          record: try row.get(4), status: try row.get(5), reason: try row.get(6), at: try row.get(7),
          seq: try row.get(8), hash: try row.get(9), grant: try row.get(10), purpose: try row.get(11),
          keyReleased: try row.get(12)))
    }
    return entries
  }

  /// Along a chain times never run backwards, so the order of numbers is that of time. Which index serves it depends
  /// on whether a mission is named.
  private static func sql(order: String, mission: String) -> String {
    """
    WITH cursor AS (
      SELECT b.seq, b.ts, b.id FROM mana_ai.decrypt_audit AS b WHERE b.user_id = $1 AND b.id = $3
    ), chained AS (
      SELECT a.* FROM mana_ai.decrypt_audit AS a
      WHERE a.user_id = $1 AND a.seq IS NOT NULL AND a.of_seq IS NULL AND \(mission)
        AND ($3 IS NULL OR a.seq < (SELECT c.seq FROM cursor AS c))
      ORDER BY \(order) LIMIT $4
    ), former AS (
      SELECT a.* FROM mana_ai.decrypt_audit AS a
      WHERE a.user_id COLLATE "C" = $1 COLLATE "C" AND a.user_id = $1 AND a.seq IS NULL AND \(mission)
        AND ($3 IS NULL OR EXISTS (SELECT FROM cursor AS c WHERE c.seq IS NOT NULL OR (a.ts, a.id) < (c.ts, c.id)))
      ORDER BY a.ts DESC, a.id DESC LIMIT $4
    )
    SELECT e.id, e.mission_id, e.iteration_id, e.table_name, e.record_id, coalesce(f.status, e.status),
      CASE WHEN f.status IS NULL THEN e.reason ELSE f.reason END, e.ts, e.seq, e.hash, e.grant_id, e.purpose,
      e.status = 'ok' AND e.grant_id IS NOT NULL
    FROM (SELECT 0 AS part, c.* FROM chained AS c UNION ALL SELECT 1, o.* FROM former AS o) AS e
    LEFT JOIN LATERAL (
      SELECT a.status, a.reason FROM mana_ai.decrypt_audit AS a WHERE a.user_id = $1 AND a.of_seq = e.seq OFFSET 0
    ) AS f ON e.seq IS NOT NULL
    ORDER BY e.part, e.seq DESC, e.ts DESC, e.id DESC LIMIT $4
    """
  }

  private static let listing = Statement(
    sql(order: "a.seq DESC", mission: "$2 IS NULL"), .text, .text, .int8, .int4)
  private static let listingMission = Statement(
    sql(order: "a.ts DESC, a.seq DESC", mission: "a.mission_id = $2"), .text, .text, .int8, .int4)
}
