// The audit as the operator reads it: whole chains, page by page, under one snapshot. What they should be is recomputed
// elsewhere, by code that takes nothing from the database but its rows: hashes that the database verified itself would
// prove nothing about whoever owns it.

package import Contracts
package import Postgres

/// Where a chain ends, as the database says, and where pruning let it begin.
package struct ChainEnds: Sendable, Hashable {
  package let user: Identifier
  /// Nil for rows without a chain, which nobody but a forger leaves.
  package let head: ChainHead?
  package let cut: ChainHead?

  package init(user: Identifier, head: ChainHead?, cut: ChainHead?) {
    self.user = user
    self.head = head
    self.cut = cut
  }
}

package struct AuditRow: Sendable, Equatable {
  package let entry: AuditEntry
  package let hash: [UInt8]

  package init(entry: AuditEntry, hash: [UInt8]) {
    self.entry = entry
    self.hash = hash
  }
}

/// What reads, inside a transaction that sees one snapshot.
package struct AuditReading: Sendable {
  package static let pageRows = 1_000
  package static let pageChains = 200

  private let pool: PostgresPool

  package init(_ pool: PostgresPool) { self.pool = pool }

  nonisolated(nonsending)
    package func withSnapshot<Value: ~Copyable, Failure: Error>(
      deadline: Deadline? = nil,
      _ body: nonisolated(nonsending) (inout PostgresTransaction) async throws(Failure) -> Value
    ) async throws(TransactionError<Failure>) -> Value
  {
    try await pool.withTransaction(isolation: .repeatableRead, access: .readOnly, deadline: deadline, body)
  }

  /// How many chains and rows there are about, for a progress that is shown and nothing else.
  nonisolated(nonsending)
    package func count() async throws(PostgresError) -> (chains: Int64, rows: Int64)
  {
    let row = try await pool.query(Self.counting.bind()).only()
    return (try row.get(0), try row.get(1))
  }

  /// The next chains by the bytes of their users; those of whom there are rows and no head among them.
  nonisolated(nonsending)
    package static func chains(
      after user: Identifier?, in transaction: inout PostgresTransaction
    ) async throws(PostgresError) -> [ChainEnds]
  {
    var chains: [ChainEnds] = []
    for row in try await transaction.query(
      selectChains.bind(.utf8(user?.utf8 ?? []), .int4(Int32(pageChains))))
    {
      chains.append(try ends(row))
    }
    return chains
  }

  /// The ends of one chain; both nil where the user has none.
  nonisolated(nonsending)
    package static func ends(
      of scope: UserScope, in transaction: inout PostgresTransaction
    ) async throws(PostgresError) -> ChainEnds
  {
    try ends(try await transaction.query(selectEnds.bind(.utf8(scope.user.utf8))).only())
  }

  /// The next rows of a chain, by their numbers.
  nonisolated(nonsending)
    package static func rows(
      of user: Identifier, after seq: Int64, limit: Int = pageRows, in transaction: inout PostgresTransaction
    ) async throws(PostgresError) -> [AuditRow]
  {
    var rows: [AuditRow] = []
    for row in try await transaction.query(
      selectRows.bind(.utf8(user.utf8), .int8(seq), .int4(Int32(limit))))
    {
      rows.append(try auditRow(row))
    }
    return rows
  }

  /// The latest rows of a chain, the newest first.
  nonisolated(nonsending)
    package static func latest(
      of user: Identifier, mission: Identifier?, limit: Int, in transaction: inout PostgresTransaction
    ) async throws(PostgresError) -> [AuditRow]
  {
    var rows: [AuditRow] = []
    for row in try await transaction.query(
      selectLatest.bind(.utf8(user.utf8), .utf8(mission?.utf8), .int4(Int32(limit))))
    {
      rows.append(try auditRow(row))
    }
    return rows
  }

  private static func ends(_ row: Row) throws(PostgresError) -> ChainEnds {
    func end(_ column: Int) throws(PostgresError) -> ChainHead? {
      guard let seq: Int64 = try row.get(column) else { return nil }
      return ChainHead(seq: seq, hash: try row.get(column + 1))
    }
    return ChainEnds(user: try row.identifier(0), head: try end(1), cut: try end(3))
  }

  private static func auditRow(_ row: Row) throws(PostgresError) -> AuditRow {
    AuditRow(
      entry: AuditEntry(
        user: try row.identifier(0), seq: try row.get(1), timestamp: try row.get(2), mission: try row.get(3),
        grant: try row.get(4), iteration: try row.get(5), table: try row.get(6), record: try row.get(7),
        status: try row.get(8), reason: try row.get(9), purpose: try row.get(10), batch: try row.get(11),
        ofSeq: try row.get(12)),
      hash: try row.get(13, as: [UInt8]?.self) ?? [])
  }
}

extension AuditReading {
  private static let counting = Statement(
    """
    SELECT (SELECT count(*) FROM mana_ai.audit_heads), (SELECT count(*) FROM mana_ai.decrypt_audit WHERE seq IS NOT NULL)
    """)

  /// Users of whom there are rows alone are found by looking through all rows after the last user; there are none in
  /// a sound database, so that the look is one pass over an index for each page.
  private static let selectChains = Statement(
    """
    SELECT u.user_id, h.seq, h.hash, c.seq, c.hash
    FROM (
      (SELECT h.user_id COLLATE "C" AS user_id FROM mana_ai.audit_heads AS h
        WHERE h.user_id COLLATE "C" > $1 COLLATE "C" ORDER BY h.user_id COLLATE "C" LIMIT $2)
      UNION
      (SELECT DISTINCT a.user_id COLLATE "C" FROM mana_ai.decrypt_audit AS a
        WHERE a.seq IS NOT NULL AND a.user_id COLLATE "C" > $1 COLLATE "C"
          AND NOT EXISTS (SELECT FROM mana_ai.audit_heads AS e WHERE e.user_id = a.user_id)
        ORDER BY a.user_id COLLATE "C" LIMIT $2)
      UNION
      (SELECT o.user_id COLLATE "C" FROM mana_ai.audit_cuts AS o
        WHERE o.user_id COLLATE "C" > $1 COLLATE "C"
          AND NOT EXISTS (SELECT FROM mana_ai.audit_heads AS e WHERE e.user_id = o.user_id)
        ORDER BY o.user_id COLLATE "C" LIMIT $2)
    ) AS u
    LEFT JOIN mana_ai.audit_heads AS h ON h.user_id = u.user_id
    LEFT JOIN mana_ai.audit_cuts AS c ON c.user_id = u.user_id
    ORDER BY u.user_id COLLATE "C" LIMIT $2
    """, .text, .int4)

  private static let selectEnds = Statement(
    """
    SELECT u.user_id, h.seq, h.hash, c.seq, c.hash FROM (VALUES ($1)) AS u (user_id)
    LEFT JOIN mana_ai.audit_heads AS h ON h.user_id = u.user_id
    LEFT JOIN mana_ai.audit_cuts AS c ON c.user_id = u.user_id
    """, .text)

  /// The time in the one spelling that is hashed, whatever the session's settings are.
  private static let columns = """
    a.user_id, a.seq, to_char(a.ts AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), a.mission_id, a.grant_id,
      a.iteration_id, a.table_name, a.record_id, a.status, a.reason, a.purpose, a.batch::text, a.of_seq, a.hash
    """

  private static let selectRows = Statement(
    """
    SELECT \(columns) FROM mana_ai.decrypt_audit AS a
    WHERE a.user_id = $1 AND a.seq > $2 ORDER BY a.seq LIMIT $3
    """, .text, .int8, .int4)

  private static let selectLatest = Statement(
    """
    SELECT \(columns) FROM mana_ai.decrypt_audit AS a
    WHERE a.user_id = $1 AND a.seq IS NOT NULL AND ($2 IS NULL OR a.mission_id = $2) ORDER BY a.seq DESC LIMIT $3
    """, .text, .text, .int4)
}
