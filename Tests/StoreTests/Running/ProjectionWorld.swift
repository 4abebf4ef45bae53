// Short spellings for projections: changes with chosen times and ids, refreshes, and the comparison of every snapshot
// with the fold of its whole history.

import Contracts
import Missions
import Postgres
import Store
import Testing

/// A change as a device writes it. Its time counts microseconds from an instant of the test's.
struct TestChange: Sendable {
  var user = "a"
  var table = "aiMissions"
  var record = "m"
  var op = "update"
  var data: String?
  var stamps: String?
  var at: Int64
  var id: UInt128

  func insert() -> BoundStatement {
    Self.inserting.bind(
      .text(user), .text(table), .text(record), .text(op), data.map { .json($0) } ?? .null,
      stamps.map { .json($0) } ?? .null, .timestamp(PostgresTimestamp(microsecondsSince2000: Self.start + at)),
      .uuid(ChangeID(id).text))
  }

  static let start: Int64 = 820_000_000_000_000

  private static let inserting = Statement(
    """
    INSERT INTO public.sync_changes (user_id, app_id, table_name, record_id, op, data, field_meta, created_at, id, client_id)
    VALUES ($1, 'ai', $2, $3, $4, $5, $6, $7, $8, 'device')
    """, .text, .text, .text, .text, .jsonb, .jsonb, .timestamptz, .uuid)
}

extension World {
  func write(_ changes: TestChange...) async throws { try await write(changes) }

  func write(_ changes: [TestChange]) async throws {
    for change in changes {
      _ = try await sync.transact([try scope(change.user).statement, change.insert()])
    }
  }

  func refresh(limit: Int32 = 1_000, page: Int32 = 1_000) async throws -> RefreshTally {
    try await ProjectionRefresh(runner, by: FoldState.self, page: page).run(limit: limit)
  }

  /// Until no note is left; the tallies together.
  @discardableResult
  func refreshAll(limit: Int32 = 1_000, page: Int32 = 1_000) async throws -> (rows: Int, refolded: Int) {
    var (rows, refolded) = (0, 0)
    while case let tally = try await refresh(limit: limit, page: page), tally.notes > 0 {
      rows += tally.rows
      refolded += tally.refolded
    }
    return (rows, refolded)
  }

  /// Holds every snapshot against the fold of its record's whole history, in all that is stored; answers how many.
  func compareWithWholeHistories() async throws -> Int {
    var compared = 0
    for row in try await admin.query(Self.records.bind()) {
      let user: String = try row.get(0)
      let address = RecordAddress(
        app: Identifier("ai"), table: Identifier(try row.get(1) as String), record: Identifier(try row.get(2) as String)
      )
      let rows = try await admin.transact([
        try scope(user).statement, SyncChanges.histories(of: [address], in: try scope(user)),
      ])
      guard case .rows(let history) = try SyncChanges.decode(rows[1], count: 1)[0] else {
        throw SupportProblem.unreadableHistory
      }
      let whole = Replay.state(id: address.record, rows: history)
      let stored = try #require(whole.stored)
      let isMission = address.table.text == "aiMissions"
      let columns = isMission ? whole.missionColumns : whole.agentColumns
      let isAlike: Bool = try await admin.query(
        (isMission ? Self.missionIsAlike : Self.agentIsAlike).bind(
          .text(user), .text(address.record.text), .json(JSONValue.object(stored.record).compactText()),
          .timestamp(PostgresTimestamp(unixMicroseconds: stored.position.microseconds)),
          .uuid(stored.position.id.text), .text(columns.state),
          .timestamp(columns.nextRun.flatMap { PostgresTimestamp(unixMicroseconds: $0.milliseconds * 1_000) }),
          .text(columns.parked))
      ).only().get(0)
      #expect(isAlike, "\(user) \(address.table.text) \(address.record.text)")
      compared += 1
    }
    return compared
  }

  private static let records = Statement(
    """
    SELECT DISTINCT c.user_id, c.table_name, c.record_id FROM public.sync_changes AS c WHERE c.app_id = 'ai'
    """)
  private static let missionIsAlike = Statement(
    """
    SELECT count(*) = 1 FROM mana_ai.mission_snapshots AS s
    WHERE s.user_id = $1 AND s.mission_id = $2 AND s.record::text = $3::text AND s.last_applied_at = $4
      AND s.last_applied_id = $5 AND s.state IS NOT DISTINCT FROM $6 AND s.next_run_at IS NOT DISTINCT FROM $7
      AND s.parked_reason IS NOT DISTINCT FROM $8
    """, .text, .text, .jsonb, .timestamptz, .uuid, .text, .timestamptz, .text)
  private static let agentIsAlike = Statement(
    """
    SELECT count(*) = 1 AND $7 IS NULL AND $8 IS NULL FROM mana_ai.agent_snapshots AS s
    WHERE s.user_id = $1 AND s.agent_id = $2 AND s.record::text = $3::text AND s.last_applied_at = $4
      AND s.last_applied_id = $5 AND s.state IS NOT DISTINCT FROM $6
    """, .text, .text, .jsonb, .timestamptz, .uuid, .text, .timestamptz, .text)
}

enum SupportProblem: Error { case unreadableHistory, neverAlone }

/// SplitMix64, so that a failure can be made again from its seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
