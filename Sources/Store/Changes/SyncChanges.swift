// The change log, read: the histories of many records of one user in one statement, in the order of the fold.

package import Contracts
package import Postgres

package enum RecordHistory: Sendable {
  /// Oldest first; empty where the log has no such record, or none that this role may see.
  case rows([ChangeRow])
  /// A row holds JSON that no reader of ours takes (deeper than `JSONTape.maximumDepth`). It is this record's trouble
  /// and not its neighbours'.
  case unreadable
}

package enum SyncChanges {
  /// Reads under `scope`, in whose transaction it must run. The user is named besides, so that the index is used and
  /// a role that no policy binds reads no more.
  package static func histories(of records: [RecordAddress], in scope: UserScope) -> BoundStatement {
    select.bind(
      .utf8(scope.user.utf8), .utf8Array(records.map(\.app.utf8)), .utf8Array(records.map(\.table.utf8)),
      .utf8Array(records.map(\.record.utf8)))
  }

  /// One history per record that was asked for, in that order.
  package static func decode(_ rows: Rows, count: Int) throws(PostgresError) -> [RecordHistory] {
    var histories = [RecordHistory](repeating: .rows([]), count: count)
    var current: [ChangeRow] = []
    var currentPlace = 0
    var isReadable = true
    func finish() {
      guard currentPlace > 0 else { return }
      histories[currentPlace - 1] = isReadable ? .rows(current) : .unreadable
    }
    for row in rows {
      let place = Int(try row.get(0, as: Int64.self))
      guard place >= 1, place <= count else { throw .decoding(DecodingProblem(column: 0, reason: .malformed)) }
      if place != currentPlace {
        finish()
        (current, currentPlace, isReadable) = ([], place, true)
      }
      guard isReadable else { continue }
      if let change = try change(row) { current.append(change) } else { isReadable = false }
    }
    finish()
    return histories
  }

  /// Nil where the row holds JSON that no reader of ours takes.
  static func change(_ row: Row) throws(PostgresError) -> ChangeRow? {
    guard let position = try row.position(time: 3, id: 1) else {
      throw .decoding(DecodingProblem(column: 1, reason: .null))
    }
    let operation = ChangeRow.Operation(column: try row.get(2))
    let data: Postgres.UTF8Text? = try row.get(4)
    let stamps: Postgres.UTF8Text? = try row.get(5)
    do throws(JSONProblem) {
      return ChangeRow(
        position: position, operation: operation, data: try data?.json(), fieldMeta: try stamps?.json())
    } catch { return nil }
  }

  private static let select = Statement(
    """
    SELECT r.place, uuid_send(c.id), c.op, c.created_at, c.data, c.field_meta
    FROM unnest($2, $3, $4) WITH ORDINALITY AS r (app_id, table_name, record_id, place)
    CROSS JOIN LATERAL (
      SELECT o.id, o.op, o.created_at, o.data, o.field_meta FROM public.sync_changes AS o
      WHERE o.user_id = $1 AND o.app_id = r.app_id AND o.table_name = r.table_name AND o.record_id = r.record_id
      OFFSET 0
    ) AS c
    ORDER BY r.place, c.created_at, c.id
    """, .text, .textArray, .textArray, .textArray)
}

extension Postgres.UTF8Text {
  func json() throws(JSONProblem) -> JSONValue { try JSONValue(parsing: bytes.span) }
}
