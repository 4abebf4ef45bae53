// Into zero-knowledge mode and out of it. On the way in the server's wrap goes and every grant with it, provided that
// the user can recover the key. On the way out the user brings the key back and proves that it is the one that went.

package import Contracts
import Postgres
import Store
import Vault

extension Issuer {
  package func changeZeroKnowledge(
    _ call: consuming ZeroKnowledgeCall, by caller: Caller
  ) async -> Result<JSONValue, IssuerProblem> {
    switch consume call {
    case .enter: await enterZeroKnowledge(caller)
    case .leave(let key): await leaveZeroKnowledge(caller, with: key)
    }
  }

  private func enterZeroKnowledge(_ caller: Caller) async -> Outcome<JSONValue> {
    var closed: [ClosedGrant] = []
    let outcome = await transact(caller) { transaction throws(IssuerProblem) -> Outcome<JSONValue> in
      func refuse(_ problem: IssuerProblem, _ context: String) throws(IssuerProblem) -> [BoundStatement] {
        try note(.zeroKnowledgeEnable, problem.status, context, by: caller)
      }
      guard let row = try await lockVault(in: &transaction, of: caller) else {
        _ = try await transaction.ask(try refuse(.vaultNotInitialised, "no-vault"))
        return .failure(.vaultNotInitialised)
      }
      guard !row.isZeroKnowledge else {
        _ = try await transaction.ask(try note(.zeroKnowledgeEnable, 200, "already-enabled", by: caller))
        return .success(.zeroKnowledge(true))
      }
      guard row.recovery != nil else {
        _ = try await transaction.ask(try refuse(.recoveryMissing, "no-recovery-wrap"))
        return .failure(.recoveryMissing)
      }
      guard let wrapped = row.wrapped else { throw .failed(.brokenRow) }
      let check: [UInt8]
      do throws(VaultFailure) {
        // From the key itself, also where a check value stands: an imported row could hold anything.
        check = try vault.check(of: wrapped, of: caller.user)
      } catch { throw IssuerProblem(error) }
      let results = try await transaction.ask(
        [
          GrantClosing.statement(caller.scope, reason: .zeroKnowledge),
          VaultRows.enterZeroKnowledge(caller.scope, check: check),
        ] + (try note(.zeroKnowledgeEnable, 200, by: caller)))
      closed = try reading { () throws(PostgresError) in try GrantClosing.decode(results[0]) }
      return .success(.zeroKnowledge(true))
    }
    if !closed.isEmpty { _ = await drain(closed) }
    return outcome
  }

  private func leaveZeroKnowledge(_ caller: Caller, with key: borrowing SuppliedKey) async -> Outcome<JSONValue> {
    await transact(caller) { transaction throws(IssuerProblem) -> Outcome<JSONValue> in
      func refuse(_ problem: IssuerProblem, _ context: String) throws(IssuerProblem) -> [BoundStatement] {
        try note(.zeroKnowledgeDisable, problem.status, context, by: caller)
      }
      guard let row = try await lockVault(in: &transaction, of: caller) else {
        _ = try await transaction.ask(try refuse(.vaultNotInitialised, "no-vault"))
        return .failure(.vaultNotInitialised)
      }
      guard row.isZeroKnowledge else {
        _ = try await transaction.ask(try note(.zeroKnowledgeDisable, 200, "already-disabled", by: caller))
        return .success(.zeroKnowledge(false))
      }
      guard let check = row.keyCheck else {
        _ = try await transaction.ask(try refuse(.keyCheckMissing, "no-key-check"))
        return .failure(.keyCheckMissing)
      }
      let wrapped: WrappedMasterKey
      do throws(VaultFailure) { wrapped = try vault.takeBack(key, of: caller.user, check: check) } catch {
        guard error == .notTheKey else { throw IssuerProblem(error) }
        _ = try await transaction.ask(try refuse(.wrongKey, "wrong-key"))
        return .failure(.wrongKey)
      }
      _ = try await transaction.ask(
        [VaultRows.leaveZeroKnowledge(caller.scope, wrap: wrapped.pair, kekId: wrapped.keyId)]
          + (try note(.zeroKnowledgeDisable, 200, by: caller)))
      return .success(.zeroKnowledge(false))
    }
  }
}

extension JSONValue {
  fileprivate static func zeroKnowledge(_ isOn: Bool) -> JSONValue {
    .object(JSONObject(members: [("ok", .bool(true)), ("zeroKnowledge", .bool(isOn))]))
  }
}
