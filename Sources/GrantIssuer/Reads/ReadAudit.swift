// The audit for its user: what was read, of what, for which mission, and under which grant. With `chain` the bare rows,
// so that a device can recompute every hash by itself.

package import Contracts
import Postgres
import Store

/// The query of the audit route, read as leniently as the seeds read it.
package struct AuditQuery: Sendable {
  let mission: Identifier?
  let limit: Int
  let before: Int64?
  let isChain: Bool
  let after: Int64

  static let usualRows = 200

  package init(
    missionId: String?, limit: String?, before: String? = nil, chain: String? = nil, after: String? = nil
  ) throws(IssuerProblem) {
    if let missionId, missionId.utf8.contains(0) { throw .badRequest("missionId holds a NUL.") }
    mission = missionId.flatMap { $0.isEmpty ? nil : Identifier($0) }
    self.limit = min(max(Self.integerPrefix(limit ?? "") ?? Self.usualRows, 1), UserAudit.mostRows)
    self.before = try Self.position(before, "before")
    switch chain {
    case nil, "", "false": isChain = false
    case "true": isChain = true
    default: throw .badRequest("chain must be true or false.")
    }
    self.after = try Self.position(after, "after") ?? 0
  }

  /// An absent cursor is none; one that is no number is the caller's mistake and not the first page.
  private static func position(_ text: String?, _ name: String) throws(IssuerProblem) -> Int64? {
    guard let text, !text.isEmpty else { return nil }
    guard let number = Int64(text), number >= 0, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      throw .badRequest("\(name) must be a whole number.")
    }
    return number
  }

  /// JavaScript's parseInt with base 10: blanks, a sign, then digits as far as they go; too many count as very many.
  static func integerPrefix(_ text: String) -> Int? {
    var rest = text.unicodeScalars.drop { $0.properties.isWhitespace || $0 == "\u{FEFF}" }
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest = rest.dropFirst() }
    let digits = rest.prefix { ("0"..."9").contains($0) }
    guard !digits.isEmpty else { return nil }
    let number = digits.count > 15 ? Int(Int32.max) : Int(String(String.UnicodeScalarView(digits))) ?? 0
    return isNegative ? -number : number
  }
}

extension Issuer {
  package func readAudit(_ query: AuditQuery, of caller: Caller) async -> Result<JSONValue, IssuerProblem> {
    if query.isChain { return await readChain(query, of: caller) }
    return await transact(caller, access: .readOnly) { transaction throws(IssuerProblem) -> Outcome<JSONValue> in
      let found = try await transaction.ask([
        UserAudit.list(caller.scope, mission: query.mission, before: query.before, limit: query.limit)
      ])
      let entries = try reading { () throws(PostgresError) in try UserAudit.decode(found[0]) }
      return .success(.object(JSONObject(members: [("rows", .array(entries.map(\.json)))])))
    }
  }

  private func readChain(_ query: AuditQuery, of caller: Caller) async -> Outcome<JSONValue> {
    do throws(TransactionError<PostgresError>) {
      return .success(
        try await pool.withTransaction(of: caller.scope, isolation: .repeatableRead, access: .readOnly) {
          transaction throws(PostgresError) in
          let ends = try await AuditReading.ends(of: caller.scope, in: &transaction)
          let rows = try await AuditReading.rows(
            of: caller.user, after: query.after, limit: query.limit, in: &transaction)
          return .object(
            JSONObject(members: [
              ("rows", .array(rows.map(\.json))), ("cut", .end(ends.cut)), ("head", .end(ends.head)),
            ]))
        })
    } catch { return .failure(IssuerProblem(error)) }
  }
}

extension AuditListEntry {
  var json: JSONValue {
    .object(
      JSONObject(members: [
        ("id", .string(String(id))), ("missionId", .string(mission)), ("iterationId", .text(iteration)),
        ("tableName", .string(table)), ("recordId", .string(record)), ("status", .string(status)),
        ("reason", .text(reason)), ("ts", .instant(at)), ("seq", .integer(seq)),
        ("hash", .text(hash.map { Hex.encode($0) })), ("grantId", .text(grant)), ("purpose", .text(purpose)),
        ("keyReleased", .bool(keyReleased)),
      ]))
  }
}

extension AuditRow {
  /// Every member that the chain's formula takes, and the hash that it gives.
  var json: JSONValue {
    .object(
      JSONObject(members: [
        ("userId", .string(entry.user.text)), ("seq", .integer(entry.seq)), ("ts", .string(entry.timestamp)),
        ("missionId", .string(entry.mission)), ("grantId", .text(entry.grant)),
        ("iterationId", .text(entry.iteration)), ("tableName", .string(entry.table)),
        ("recordId", .string(entry.record)), ("status", .string(entry.status)), ("reason", .text(entry.reason)),
        ("purpose", .text(entry.purpose)), ("batch", .text(entry.batch)), ("ofSeq", .integer(entry.ofSeq)),
        ("hash", .string(Hex.encode(hash))),
      ]))
  }
}

extension JSONValue {
  static func integer(_ number: Int64?) -> JSONValue { number.map { .number(JSONNumber(Int($0))) } ?? .null }

  fileprivate static func end(_ end: ChainHead?) -> JSONValue {
    guard let end else { return .null }
    return .object(JSONObject(members: [("seq", .integer(end.seq)), ("hash", .string(Hex.encode(end.hash)))]))
  }
}
