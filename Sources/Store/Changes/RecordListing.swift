// Which records a user has in a table of the change log, by the bytes of their ids, page by page. What they are is read
// as histories.

package import Contracts
package import Postgres

package enum RecordListing {
  /// Few, for whoever lists records reads their whole histories next.
  package static let mostRecords = 50

  /// The ids behind `after`. Reads under `scope`, in whose transaction it must run.
  package static func ids(
    app: Identifier, table: Identifier, after: Identifier?, limit: Int = mostRecords, in scope: UserScope
  ) -> BoundStatement {
    listing.bind(
      .utf8(scope.user.utf8), .utf8(app.utf8), .utf8(table.utf8), .utf8(after?.utf8 ?? []), .int4(Int32(limit)))
  }

  package static func decode(_ rows: Rows) throws(PostgresError) -> [Identifier] {
    var ids: [Identifier] = []
    for row in rows { ids.append(try row.identifier(0)) }
    return ids
  }

  private static let listing = Statement(
    """
    SELECT DISTINCT c.record_id COLLATE "C" AS id FROM public.sync_changes AS c
    WHERE c.user_id = $1 AND c.app_id = $2 AND c.table_name = $3 AND c.record_id COLLATE "C" > $4 COLLATE "C"
    ORDER BY id LIMIT $5
    """, .text, .text, .text, .text, .int4)
}

/// The application that a table's records are in, for tables that a grant can name.
package enum GrantableTable {
  package static func app(of table: String) -> BoundStatement { asking.bind(.text(table)) }

  package static func decode(_ rows: Rows) throws(PostgresError) -> Identifier? {
    try rows.only().get(0, as: String?.self).map { Identifier($0) }
  }

  private static let asking = Statement("SELECT mana_ai.module_app($1)", .text)
}
