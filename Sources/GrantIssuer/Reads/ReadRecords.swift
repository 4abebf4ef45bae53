// What a user's own page shows: missions and the records that a grant could name, folded from the log and still sealed.

package import Contracts
import Missions
import Postgres
import Store

package struct RecordsQuery: Sendable {
  let table: TableName
  let ids: [Identifier]

  static let mostRecords = 200

  /// `ids` separated by commas, each percent-decoded by whoever read the query.
  package init(table: String?, ids: [String]) throws(IssuerProblem) {
    do throws(IdentifierProblem) { self.table = try TableName(table ?? "") } catch {
      throw .badRequest("table must be the name of a table.")
    }
    guard (1...Self.mostRecords).contains(ids.count) else {
      throw .badRequest("ids must name 1 to \(Self.mostRecords) records.")
    }
    var checked: [Identifier] = []
    for id in ids {
      do throws(IdentifierProblem) { checked.append(try Identifier(checking: id)) } catch {
        throw .badRequest("ids must each have 1 to 256 bytes and no control characters.")
      }
    }
    self.ids = checked
  }
}

extension Issuer {
  /// The missions behind `after` by the bytes of their ids, `RecordListing.mostRecords` at most.
  package func listMissions(after: String?, of caller: Caller) async -> Result<JSONValue, IssuerProblem> {
    if let after, after.utf8.contains(0) { return .failure(.badRequest("after holds a NUL.")) }
    let (app, table) = (Identifier("ai"), Identifier("aiMissions"))
    return await transact(caller, access: .readOnly) { transaction throws(IssuerProblem) -> Outcome<JSONValue> in
      let listed = try await transaction.ask([
        RecordListing.ids(app: app, table: table, after: after.map { Identifier($0) }, in: caller.scope)
      ])
      let ids = try reading { () throws(PostgresError) in try RecordListing.decode(listed[0]) }
      let missions = try await folded(ids, app: app, table: table, in: &transaction, of: caller)
      // Paged by what was looked at, for some of it may be deleted.
      let next = ids.count < RecordListing.mostRecords ? JSONValue.null : .text(ids.last?.text)
      return .success(
        .object(JSONObject(members: [("missions", .array(missions.compactMap(\.self))), ("next", next)])))
    }
  }

  /// Only what there is; a record that does not exist and one that is somebody else's look alike.
  package func readRecords(_ query: RecordsQuery, of caller: Caller) async -> Result<JSONValue, IssuerProblem> {
    await transact(caller, access: .readOnly) { transaction throws(IssuerProblem) -> Outcome<JSONValue> in
      let asked = try await transaction.ask([GrantableTable.app(of: query.table.text)])
      guard let app = try reading({ () throws(PostgresError) in try GrantableTable.decode(asked[0]) }) else {
        return .failure(.badRequest("table is none that a grant can name."))
      }
      let records = try await folded(
        query.ids, app: app, table: Identifier(query.table.text), in: &transaction, of: caller)
      return .success(.object(JSONObject(members: [("records", .array(records.compactMap(\.self)))])))
    }
  }

  private func folded(
    _ ids: [Identifier], app: Identifier, table: Identifier, in transaction: inout PostgresTransaction,
    of caller: Caller
  ) async throws(IssuerProblem) -> [JSONValue?] {
    guard !ids.isEmpty else { return [] }
    let records = ids.map { RecordAddress(app: app, table: table, record: $0) }
    let found = try await transaction.ask([SyncChanges.histories(of: records, in: caller.scope)])
    let histories = try reading { () throws(PostgresError) in
      try SyncChanges.decode(found[0], count: records.count)
    }
    return zip(ids, histories).map { id, history in
      guard case .rows(let rows) = history, let record = Replay.record(id: id, rows: rows) else { return nil }
      return .object(record)
    }
  }
}
