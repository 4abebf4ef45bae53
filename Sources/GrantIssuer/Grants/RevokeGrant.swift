// Revoking: closed and committed first, then waited until nothing opened before is under way. When this answers without
// `draining`, no key share of the mission's grants leaves the database any more. Asking again answers the same.

package import Contracts
package import Postgres
import Store

package struct Revocation: Sendable {
  /// When the mission's last grant ended; nil where it never had one.
  package let revokedAt: PostgresTimestamp?
  /// After the draining, so that no later read is missed.
  package let lastRead: PostgresTimestamp?
  package let isDraining: Bool

  package var json: JSONValue {
    var members: [(String, JSONValue)] = [
      ("revoked", .bool(revokedAt != nil)), ("revokedAt", .instant(revokedAt)), ("lastRead", .instant(lastRead)),
    ]
    if isDraining { members.append(("draining", .bool(true))) }
    return .object(JSONObject(members: members))
  }
}

extension Issuer {
  package func revokeGrant(mission text: String, by caller: Caller) async -> Result<Revocation, IssuerProblem> {
    let mission: Identifier
    do throws(IdentifierProblem) { mission = try Identifier(checking: text) } catch {
      return .failure(.badRequest("The mission's id must have 1 to 256 bytes and no control characters."))
    }
    let closed: [ClosedGrant]
    switch await close(mission, by: caller) {
    case .success(let grants): closed = grants
    case .failure(let problem): return .failure(problem)
    }
    let left = closed.isEmpty ? [] : await drain(closed)
    return await transact(caller, access: .readOnly) { transaction throws(IssuerProblem) -> Outcome<Revocation> in
      let found = try await transaction.ask([GrantHistory.list(caller.scope, mission: mission, limit: 1)])
      let last = try reading { () throws(PostgresError) in try GrantHistory.decode(found[0]).first }
      return .success(
        Revocation(
          revokedAt: closed.first?.closedAt ?? last?.closedAt, lastRead: last?.lastRead, isDraining: !left.isEmpty))
    }
  }

  private func close(_ mission: Identifier, by caller: Caller) async -> Outcome<[ClosedGrant]> {
    await transact(caller) { transaction throws(IssuerProblem) -> Outcome<[ClosedGrant]> in
      let found = try await transaction.ask([
        GrantClosing.statement(caller.scope, mission: mission, reason: .user)
      ])
      let closed = try reading { () throws(PostgresError) in try GrantClosing.decode(found[0]) }
      if let grant = closed.first {
        _ = try await transaction.ask(try note(.grantRevoke, 200, "grant=\(grant.grant)", by: caller))
      }
      return .success(closed)
    }
  }
}
