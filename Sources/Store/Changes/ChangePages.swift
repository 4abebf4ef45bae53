// The change log of one record, read in pages: the rows behind a position, up to another, oldest first. So a refresh
// reads what is new and not the history, and a long history never lies in memory as a whole.

import Contracts
import Postgres

struct ChangePages: Sendable {
  let address: RecordAddress
  /// Nothing behind this one is read: its note is still to come, and will bring it.
  let last: ChangePosition?
  /// The rows up to here have been read; nil for none.
  private(set) var position: ChangePosition?
  private(set) var isAtEnd = false

  /// Nil bounds are open.
  init(_ address: RecordAddress, after position: ChangePosition?, to last: ChangePosition?) {
    self.address = address
    self.position = position
    self.last = last
  }

  /// Reads under `scope`, in whose transaction it must run.
  func next(_ limit: Int32, in scope: UserScope) -> BoundStatement {
    let place: [PostgresValue] = [
      .utf8(scope.user.utf8), .utf8(address.app.utf8), .utf8(address.table.utf8), .utf8(address.record.utf8),
    ]
    let end: [PostgresValue] = [
      .timestamp(last?.time ?? .infinity), .uuid((last?.time == .infinity ? nil : last)?.id.text ?? Self.greatestID),
    ]
    guard let position else { return Self.first.bind(place + end + [.int4(limit)]) }
    return Self.following.bind(place + end + [.int4(limit), .timestamp(position.time), .uuid(position.id.text)])
  }

  /// The rows of a page, or nil if one of them can't be read. Every other one before it is lost with it: what the
  /// record is nobody knows.
  mutating func take(_ rows: Rows, limit: Int32) throws(PostgresError) -> [ChangeRow]? {
    var changes: [ChangeRow] = []
    changes.reserveCapacity(rows.count)
    for row in rows {
      guard let change = try SyncChanges.change(row) else { return nil }
      changes.append(change)
    }
    isAtEnd = rows.count < Int(limit)
    if let newest = changes.last?.position {
      // From a time that does not fit one can't go on.
      guard isAtEnd || newest.exactTime != nil else { return nil }
      position = newest
    }
    return changes
  }

  /// To be sent once in a transaction that reads pages. The log has indexes that give a user's rows of all records by
  /// time; where a table's statistics are poor the planner takes one of them, with a sort behind it, and reads what
  /// happened to the neighbours. Without sorts only the index of histories is left. Planned once per connection: to
  /// plan under row security costs more than to read.
  static let planning = Statement(
    """
    SELECT pg_catalog.set_config('enable_seqscan', 'off', true), pg_catalog.set_config('enable_bitmapscan', 'off', true),
      pg_catalog.set_config('enable_sort', 'off', true), pg_catalog.set_config('enable_incremental_sort', 'off', true),
      pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true)
    """
  ).bind()

  private static let greatestID = "ffffffff-ffff-ffff-ffff-ffffffffffff"

  private static func select(_ condition: String) -> String {
    """
    SELECT 0, uuid_send(c.id), c.op, c.created_at, c.data, c.field_meta FROM public.sync_changes AS c
    WHERE c.user_id = $1 AND c.app_id = $2 AND c.table_name = $3 AND c.record_id = $4
      AND (c.created_at, c.id) <= ($5, $6)\(condition)
    ORDER BY c.created_at, c.id LIMIT $7
    """
  }
  private static let first = Statement(select(""), .text, .text, .text, .text, .timestamptz, .uuid, .int4)
  private static let following = Statement(
    select(" AND (c.created_at, c.id) > ($8, $9)"),
    .text, .text, .text, .text, .timestamptz, .uuid, .int4, .timestamptz, .uuid)
}
