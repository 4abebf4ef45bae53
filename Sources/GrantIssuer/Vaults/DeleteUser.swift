// The end of an account, told by whoever keeps the accounts: grants are closed, and every row goes.

package import Contracts
import Postgres
import ServiceRuntime
import Store

extension Issuer {
  package func deleteUser(_ caller: Caller) async -> Result<JSONValue, IssuerProblem> {
    do throws(TransactionError<PostgresError>) {
      let purged = try await AccountPurge(pool).run(caller.scope)
      if !purged.draining.isEmpty {
        log.error(
          "An account is gone, but openings of its grants have not ended.", [.count: .count(purged.draining.count)])
      }
      var members: [(String, JSONValue)] = [
        ("deleted", .bool(true)), ("removed", .number(JSONNumber(Int(purged.removed)))),
        ("lastSeq", .number(JSONNumber(Int(purged.lastSeq)))), ("lastHash", .string(Hex.encode(purged.lastHash))),
      ]
      if !purged.draining.isEmpty { members.append(("draining", .bool(true))) }
      return .success(.object(JSONObject(members: members)))
    } catch { return .failure(IssuerProblem(error)) }
  }
}
