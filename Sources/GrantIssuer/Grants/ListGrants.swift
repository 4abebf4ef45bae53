// A user's grants, open and closed: what each was about, until when, and how often it was used.

package import Contracts
import Postgres
import Store

extension Issuer {
  package func listGrants(of caller: Caller) async -> Result<JSONValue, IssuerProblem> {
    await transact(caller, access: .readOnly) { transaction throws(IssuerProblem) -> Outcome<JSONValue> in
      let found = try await transaction.ask([GrantHistory.list(caller.scope)])
      let grants = try reading { () throws(PostgresError) in try GrantHistory.decode(found[0]) }
      return .success(.object(JSONObject(members: [("grants", .array(grants.map(\.json)))])))
    }
  }
}

extension GrantSummary {
  var json: JSONValue {
    .object(
      JSONObject(members: [
        ("grantId", .string(grant)), ("missionId", .string(mission.text)), ("version", .string(version)),
        ("keyId", .string(keyId)), ("tables", .array(tables.map(JSONValue.string))),
        ("recordIds", .array(recordIds.map(JSONValue.string))), ("purpose", .text(purpose)),
        ("issuedAt", .instant(issuedAt)), ("expiresAt", .instant(expiresAt)),
        ("renewableUntil", .instant(renewableUntil)), ("revokedAt", .instant(closedAt)),
        ("closedReason", .text(closedReason)), ("lastRead", .instant(lastRead)),
        ("reads", .number(JSONNumber(Int(reads)))),
      ]))
  }

  private var tables: [String] {
    var tables: Set<TableName> = []
    for text in recordIds {
      // What is stored was a scope once, so each of them has a table.
      do throws(ScopeProblem) { tables.insert(try RecordName(joined: text).table) } catch { continue }
    }
    return tables.sorted().map(\.text)
  }
}

extension JSONValue {
  static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
  static func instant(_ time: PostgresTimestamp?) -> JSONValue { text(time?.instant?.iso) }
}
