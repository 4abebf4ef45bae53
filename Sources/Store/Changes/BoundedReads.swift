// What a service reads of a user's records, up to a number of bytes. Whoever writes the log decides how long a history
// is, and a few bytes of stored JSON can be a hundred kilobytes of text (1e131071 is a number); so it is the text that is
// counted, where it is made, and what passes the limit stays in the database.

import Contracts
package import Postgres

package enum BoundedReads {
  /// Text of the histories that a unit of missions may bring: what becomes of it here is several times as large, and
  /// some units are read at once.
  static let mostBytesOfUnit = 16 << 20
  /// Copies are as large as the fields they were made of, and their frames come on top: of a thousand records, seven
  /// fields each. So copies that are not stale never reach this where the histories have not.
  static let framesOfCopies = 2 << 20

  /// What a user's page may read at once, and what a single record of it may need. Each of the issuer's connections may
  /// be reading so much, and JSON of nothing but small values takes 25 times its length in memory.
  package static let mostBytesOfPage = 4 << 20

  /// The history of a mission that the queue names: whether its grant ends hangs on it, and there is one at a time.
  package static let mostBytesOfMission = 16 << 20

  /// What each user of a unit may use of that. A mission that needs more is read apart.
  static func share(of users: Int) -> Int { mostBytesOfUnit / max(users, 1) }

  package enum Care: Sendable {
    /// For everyday use. Text that takes long to make ends the statement, and so do a row's thousand million bytes.
    case ordinary
    /// For who comes after such an end: ten times as slow for ordinary rows, and no number is written out that no
    /// JavaScript program can have written.
    case every
  }

  /// Longer than any ordinary read, and short enough that those who had bad company can be read again.
  static let longestRead = Duration.seconds(5)

  /// As `SyncChanges.histories`, but what comes after so many bytes is told and not sent.
  package static func histories(
    of records: [RecordAddress], atMost bytes: Int, with care: Care, in scope: UserScope
  ) -> BoundStatement {
    let statement =
      switch care {
      case .ordinary: ordinary
      case .every: careful
      }
    return statement.bind(
      .utf8(scope.user.utf8), .utf8Array(records.map(\.app.utf8)), .utf8Array(records.map(\.table.utf8)),
      .utf8Array(records.map(\.record.utf8)), .int8(Int64(bytes)))
  }

  /// One history per record that was asked for, in that order; nil for one that passed the limit.
  package static func decodeHistories(_ rows: Rows, count: Int) throws(PostgresError) -> [RecordHistory?] {
    var histories: [RecordHistory?] = try SyncChanges.decode(rows, count: count)
    for row in rows where try !row.get(6, as: Bool.self) {
      // `decode` has looked at the place.
      histories[Int(try row.get(0, as: Int64.self)) - 1] = nil
    }
    return histories
  }

  /// To be sent in a transaction before reads that shall end in time.
  package static let timeout = Statement(
    "SELECT pg_catalog.set_config('statement_timeout', '\(longestRead.components.seconds)s', true)"
  ).bind()

  private static let ordinary = Statement(select(length), .text, .textArray, .textArray, .textArray, .int8)
  private static let careful = Statement(
    select("CASE WHEN c.data @? \(noDouble) OR c.field_meta @? \(noDouble) THEN 1 << 30 ELSE \(length) END"),
    .text, .textArray, .textArray, .textArray, .int8)

  /// A row's share of the limit: the text of both columns and something for the rest. Neither can be longer than 1 GiB.
  private static let length = """
    64 + least(coalesce(octet_length(c.data::text), 0), 1 << 29)
              + least(coalesce(octet_length(c.field_meta::text), 0), 1 << 29)
    """

  /// Numbers beyond a double's exponents, at whatever depth.
  private static let noDouble = "'$.** ? (@ > 1e308 || @ < -1e308 || (@ > -1e-323 && @ < 1e-323 && @ <> 0))'"

  /// The rows that fit, and of each record that does not its first row too many. What is sorted are the columns as they
  /// are stored; the order of the windows is that of the rows below them, so nothing is sorted twice.
  private static func select(_ bytes: String) -> String {
    """
    SELECT s.place, uuid_send(s.id), s.op, s.created_at, CASE WHEN s.total <= $5 THEN s.data END,
      CASE WHEN s.total <= $5 THEN s.field_meta END, s.total <= $5
    FROM (
      SELECT t.*, sum(t.bytes) OVER (ORDER BY t.place, t.created_at, t.id ROWS UNBOUNDED PRECEDING) AS total,
        row_number() OVER (PARTITION BY t.place ORDER BY t.created_at, t.id) AS number
      FROM (
        SELECT r.place, c.*, \(bytes) AS bytes
        FROM unnest($2, $3, $4) WITH ORDINALITY AS r (app_id, table_name, record_id, place)
        CROSS JOIN LATERAL (
          SELECT o.id, o.op, o.created_at, o.data, o.field_meta FROM public.sync_changes AS o
          WHERE o.user_id = $1 AND o.app_id = r.app_id AND o.table_name = r.table_name AND o.record_id = r.record_id
          OFFSET 0
        ) AS c
        ORDER BY r.place, c.created_at, c.id OFFSET 0
      ) AS t
    ) AS s
    WHERE s.total <= $5 OR s.total - s.bytes <= $5 OR s.number = 1
    ORDER BY s.place, s.created_at, s.id
    """
  }
}
