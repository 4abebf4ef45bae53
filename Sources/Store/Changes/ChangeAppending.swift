// What a sync server does to the log: it appends the changes of users' devices, each once. In production that server is
// somebody else's; this stands in for it at developers' desks, as the role `mandate_sync`.

package import Contracts
package import Postgres

package struct DeviceChange: Sendable, Equatable {
  package enum Operation: String, Sendable, CaseIterable { case insert, update, delete }

  /// A UUID that the device made: the same change sent again has the same one.
  package let id: String
  package let user: Identifier
  package let address: RecordAddress
  package let operation: Operation
  /// An object, or nothing.
  package let data: JSONValue?
  package let fieldMeta: JSONValue
  package let client: String

  package init(
    id: String, user: Identifier, address: RecordAddress, operation: Operation, data: JSONValue?, fieldMeta: JSONValue,
    client: String
  ) {
    (self.id, self.user, self.address, self.operation) = (id, user, address, operation)
    (self.data, self.fieldMeta, self.client) = (data, fieldMeta, client)
  }
}

package enum ChangeAppending {
  package enum Outcome: Sendable, Equatable {
    case appended
    /// It was there before, the same in every member.
    case known
    /// The log has another change of this id; nothing was written.
    case contradicted
  }

  /// In a transaction whose scope is the change's user. Its time is now and not that of the transaction's start, so
  /// changes that are appended together stand in the log in their order.
  package static func append(_ change: DeviceChange) -> BoundStatement {
    appending.bind(
      .uuid(change.id), .utf8(change.address.app.utf8), .utf8(change.address.table.utf8),
      .utf8(change.address.record.utf8), .utf8(change.user.utf8), .text(change.operation.rawValue),
      change.data.map { .json($0.compactText()) } ?? .null, .json(change.fieldMeta.compactText()),
      .text(change.client))
  }

  package static func outcome(_ rows: Rows) throws(PostgresError) -> Outcome {
    let row = try rows.only()
    if try row.get(0, as: Bool.self) { return .appended }
    return try row.get(1, as: Bool.self) ? .known : .contradicted
  }

  /// The outer part does not see what the inner one wrote, so it tells of earlier rows alone.
  private static let appending = Statement(
    """
    WITH written AS (
      INSERT INTO public.sync_changes (id, app_id, table_name, record_id, user_id, op, data, field_meta, client_id,
        created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp())
      ON CONFLICT (id) DO NOTHING RETURNING id
    )
    SELECT EXISTS (SELECT FROM written), EXISTS (
      SELECT FROM public.sync_changes AS c
      WHERE c.id = $1 AND (c.app_id, c.table_name, c.record_id, c.user_id, c.op, c.data, c.field_meta, c.client_id)
        IS NOT DISTINCT FROM ($2, $3, $4, $5, $6, $7, $8, $9))
    """, .uuid, .text, .text, .text, .text, .text, .jsonb, .jsonb, .text)
}
