// Whether records that somebody wants to have granted exist: in a table that a grant can name, in this user's own log,
// and not deleted there. One statement for all of them, and the answer is by place, not by name.

package import Contracts
package import Postgres

package enum RecordPresence: Sendable, Equatable {
  case present
  /// The log has none of this user's, or it is deleted.
  case absent
  /// No grant can name this table.
  case unknownTable

  /// Reads under `scope`, in whose transaction it must run.
  package static func of(_ records: [RecordName], in scope: UserScope) -> BoundStatement {
    asking.bind(
      .utf8(scope.user.utf8), .utf8Array(records.map(\.table.utf8)), .utf8Array(records.map(\.record.utf8)))
  }

  package static func decode(_ rows: Rows, count: Int) throws(PostgresError) -> [RecordPresence] {
    var answers: [RecordPresence] = []
    for row in rows {
      guard try row.get(0, as: Bool.self) else {
        answers.append(.unknownTable)
        continue
      }
      answers.append(try row.get(1, as: Bool.self) ? .present : .absent)
    }
    guard answers.count == count else { throw .decoding(DecodingProblem(column: 0, reason: .rows(answers.count))) }
    return answers
  }

  /// A delete is final, whatever else the log says, and so is a mark that a delete carries.
  private static let asking = Statement(
    """
    SELECT r.app_id IS NOT NULL, r.app_id IS NOT NULL AND c.changes > 0 AND NOT c.deleted
    FROM (
      SELECT n.place, n.table_name, n.record_id, mana_ai.module_app(n.table_name) AS app_id
      FROM unnest($2, $3) WITH ORDINALITY AS n (table_name, record_id, place)
    ) AS r
    CROSS JOIN LATERAL (
      SELECT count(*) AS changes, coalesce(bool_or(o.op = 'delete'), false) AS deleted
      FROM public.sync_changes AS o
      WHERE o.user_id = $1 AND o.app_id = r.app_id AND o.table_name = r.table_name AND o.record_id = r.record_id
    ) AS c
    ORDER BY r.place
    """, .text, .textArray, .textArray)
}
