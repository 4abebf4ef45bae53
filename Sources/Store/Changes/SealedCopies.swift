// The sealed copies of records, read beside their histories: what the issuer has sealed again of older ciphertext.

package import Contracts
package import Postgres

package enum SealedCopies {
  /// Reads under `scope`, in whose transaction it must run: what fits into so many bytes, in the order of the records.
  package static func of(_ records: [RecordAddress], atMost bytes: Int, in scope: UserScope) -> BoundStatement {
    select.bind(
      .utf8(scope.user.utf8), .utf8Array(records.map(\.app.utf8)), .utf8Array(records.map(\.table.utf8)),
      .utf8Array(records.map(\.record.utf8)), .int8(Int64(bytes)))
  }

  /// The `fields` of each record that was asked for, in that order; nil where there is no copy, or none that can be
  /// read, which comes to the same: the fields are not sealed yet.
  package static func decode(_ rows: Rows, count: Int) throws(PostgresError) -> [JSONObject?] {
    var copies = [JSONObject?](repeating: nil, count: count)
    for row in rows {
      let place = Int(try row.get(0, as: Int64.self))
      guard place >= 1, place <= count else { throw .decoding(DecodingProblem(column: 0, reason: .malformed)) }
      let fields: Postgres.UTF8Text = try row.get(1)
      do throws(JSONProblem) { copies[place - 1] = try fields.json().object } catch { copies[place - 1] = nil }
    }
    return copies
  }

  private static let select = Statement(
    """
    SELECT s.place, s.fields
    FROM (
      SELECT t.place, t.fields, sum(octet_length(t.fields)) OVER (ORDER BY t.place ROWS UNBOUNDED PRECEDING) AS total
      FROM (
        SELECT r.place, c.fields::text AS fields
        FROM unnest($2, $3, $4) WITH ORDINALITY AS r (app_id, table_name, record_id, place)
        CROSS JOIN LATERAL (
          SELECT o.fields FROM mana_ai.sealed_records AS o
          WHERE o.user_id = $1 AND o.app_id = r.app_id AND o.table_name = r.table_name AND o.record_id = r.record_id
          OFFSET 0
        ) AS c
        ORDER BY r.place OFFSET 0
      ) AS t
    ) AS s
    WHERE s.total <= $5
    """, .text, .textArray, .textArray, .textArray, .int8)
}
