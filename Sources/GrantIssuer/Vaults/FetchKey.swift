// A user's key, for the user's own device. Each fetch is in the log before it is answered, and so is each that failed.

import Contracts
import Postgres
import Store
import Vault

extension Issuer {
  package func fetchKey(of caller: Caller) async -> Result<KeyReply, IssuerProblem> {
    await transact(caller) { transaction throws(IssuerProblem) -> Outcome<KeyReply> in
      let found = try await transaction.ask([VaultRows.lock(caller.scope), rules.keyFetches.wait(of: caller.scope)])
      if let wait = try reading({ () throws(PostgresError) in try VaultAudit.decodeWait(found[1]) }) {
        return .failure(.tooManyRequests(retryAfter: wait))
      }
      guard let row = try reading({ () throws(PostgresError) in try VaultRows.decode(found[0]) }) else {
        _ = try await transaction.ask(try note(.failedFetch, 404, "not-initialised", by: caller))
        return .failure(.vaultNotInitialised)
      }
      guard !row.isZeroKnowledge else {
        _ = try await transaction.ask(try note(.fetch, 200, "zk-recovery-blob", by: caller))
        return .success(.recovery(try RecoveryReply(row)))
      }
      let reply: KeyReply
      do throws(IssuerProblem) { reply = try handOut(row, to: caller) } catch {
        _ = try await transaction.ask(try note(.failedFetch, 500, "unwrap-failed", by: caller))
        return .failure(error)
      }
      _ = try await transaction.ask(try note(.fetch, 200, by: caller))
      return .success(reply)
    }
  }
}
