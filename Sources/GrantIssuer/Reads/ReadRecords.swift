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
    return await readWithCare(caller) { transaction, care throws(IssuerProblem) -> Outcome<JSONValue> in
      let listed = try await transaction.ask([
        RecordListing.ids(app: app, table: table, after: after.map { Identifier($0) }, in: caller.scope)
      ])
      let ids = try reading { () throws(PostgresError) in try RecordListing.decode(listed[0]) }
      let found = try await folded(ids, app: app, table: table, with: care, in: &transaction, of: caller)
      // Paged by what was looked at, for some of it may be deleted.
      let isLast = found.unread.isEmpty && ids.count < RecordListing.mostRecords
      let next = isLast ? JSONValue.null : .text(ids.dropLast(found.unread.count).last?.text)
      var page = JSONObject(members: [("missions", .array(found.records)), ("next", next)])
      if !found.tooLong.isEmpty { page.set("tooLong", Self.names(found.tooLong)) }
      return .success(.object(page))
    }
  }

  /// Only what there is; a record that does not exist and one that is somebody else's look alike.
  package func readRecords(_ query: RecordsQuery, of caller: Caller) async -> Result<JSONValue, IssuerProblem> {
    await readWithCare(caller) { transaction, care throws(IssuerProblem) -> Outcome<JSONValue> in
      let asked = try await transaction.ask([GrantableTable.app(of: query.table.text)])
      guard let app = try reading({ () throws(PostgresError) in try GrantableTable.decode(asked[0]) }) else {
        return .failure(.badRequest("table is none that a grant can name."))
      }
      let found = try await folded(
        query.ids, app: app, table: Identifier(query.table.text), with: care, in: &transaction, of: caller)
      var answer = JSONObject(members: [("records", .array(found.records))])
      if !found.tooLong.isEmpty { answer.set("tooLong", Self.names(found.tooLong)) }
      if !found.unread.isEmpty { answer.set("unread", Self.names(found.unread)) }
      return .success(.object(answer))
    }
  }

  private static func names(_ ids: [Identifier]) -> JSONValue { .array(ids.map { .text($0.text) }) }

  /// What takes long to write out, and what the database can't write out at all, is read again with numbers counted
  /// first. Both are rare, and nobody but the user whose records they are waits for it.
  private func readWithCare(
    _ caller: Caller,
    _ body:
      nonisolated(nonsending) (inout PostgresTransaction, BoundedReads.Care) async throws(IssuerProblem) ->
      Outcome<JSONValue>
  ) async -> Outcome<JSONValue> {
    func read(with care: BoundedReads.Care) async -> Outcome<JSONValue> {
      await transact(caller, access: .readOnly) { transaction throws(IssuerProblem) -> Outcome<JSONValue> in
        _ = try await transaction.ask([BoundedReads.timeout])
        return try await body(&transaction, care)
      }
    }
    let first = await read(with: .ordinary)
    guard case .failure(.failed(.database(.server))) = first else { return first }
    return await read(with: .every)
  }

  /// What became of records that were asked for. Each is in one of these, or there is none.
  private struct Folded {
    var records: [JSONValue] = []
    /// A history that is longer than all a page may read.
    var tooLong: [Identifier] = []
    /// Not looked at, for want of room beside the others: to be asked for again.
    var unread: [Identifier] = []
  }

  /// Statements of one call, each of which may read a page's bytes, and what the records made of them may have as JSON
  /// for another one to follow.
  private static let mostReads = 8
  private static let roomForMore = 1 << 20

  /// In the order of `ids`, until there is no more room.
  private func folded(
    _ ids: [Identifier], app: Identifier, table: Identifier, with care: BoundedReads.Care,
    in transaction: inout PostgresTransaction, of caller: Caller
  ) async throws(IssuerProblem) -> Folded {
    var found = Folded()
    var rest = ids[...]
    var bytes = 0
    for _ in 0..<Self.mostReads where !rest.isEmpty && bytes <= Self.roomForMore {
      let records = rest.map { RecordAddress(app: app, table: table, record: $0) }
      let read = try await transaction.ask([
        BoundedReads.histories(of: records, atMost: BoundedReads.mostBytesOfPage, with: care, in: caller.scope)
      ])
      let histories = try reading { () throws(PostgresError) in
        try BoundedReads.decodeHistories(read[0], count: records.count)
      }
      let fitting = histories.prefix { $0 != nil }
      for (id, history) in zip(rest, fitting) {
        guard case .rows(let rows)? = history, let record = Replay.record(id: id, rows: rows) else { continue }
        found.records.append(.object(record))
        if fitting.count < rest.count { bytes += JSONValue.object(record).compactBytes().count }
      }
      rest = rest.dropFirst(fitting.count)
      // It had all the room there is to itself.
      if fitting.isEmpty, let tooLong = rest.popFirst() { found.tooLong.append(tooLong) }
    }
    found.unread = Array(rest)
    return found
  }
}
