// A new key in the place of the old one, which nobody can recover. Every grant was made from the old one, so all of them
// are closed in the same transaction.

import Contracts
import Postgres
import Store
import Vault

extension Issuer {
  package func rotateKey(of caller: Caller) async -> Result<KeyReply, IssuerProblem> {
    var closed: [ClosedGrant] = []
    let outcome = await transact(caller) { transaction throws(IssuerProblem) -> Outcome<KeyReply> in
      let found = try await transaction.ask([VaultRows.lock(caller.scope), rules.rotations.wait(of: caller.scope)])
      if let wait = try reading({ () throws(PostgresError) in try VaultAudit.decodeWait(found[1]) }) {
        return .failure(.tooManyRequests(retryAfter: wait))
      }
      let known = try reading { () throws(PostgresError) in try VaultRows.decode(found[0]) }
      let row: VaultRow
      switch try await findOrMake(known, .rotate, "init-on-rotate", in: &transaction, of: caller) {
      case .made(let reply): return .success(reply)
      case .found(let there): row = there
      }
      guard !row.isZeroKnowledge else {
        _ = try await transaction.ask(try note(.rotate, 409, "zk-rotate-forbidden", by: caller))
        return .failure(.rotationForbidden)
      }
      let new = try makeKey(for: caller)
      let results = try await transaction.ask(
        [
          GrantClosing.statement(caller.scope, reason: .vaultRotated),
          VaultRows.replace(caller.scope, wrap: new.wrapped.pair, kekId: new.wrapped.keyId, check: new.check),
        ] + (try note(.rotate, 200, by: caller)))
      closed = try reading { () throws(PostgresError) in try GrantClosing.decode(results[0]) }
      return .success(.key(new.intoHandout()))
    }
    if !closed.isEmpty { _ = await drain(closed) }
    return outcome
  }
}
