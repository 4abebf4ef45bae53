// The first key of a user, or the one that is there already. Two devices may ask at once: one of them makes it, both are
// answered with the same.

import Contracts
import Postgres
import Store
import Vault

extension Issuer {
  package func initVault(of caller: Caller) async -> Result<KeyReply, IssuerProblem> {
    await transact(caller) { transaction throws(IssuerProblem) -> Outcome<KeyReply> in
      let found = try await transaction.ask([VaultRows.lock(caller.scope), rules.keyFetches.wait(of: caller.scope)])
      // An existing key is handed out here too, so this counts as fetching it.
      if let wait = try reading({ () throws(PostgresError) in try VaultAudit.decodeWait(found[1]) }) {
        return .failure(.tooManyRequests(retryAfter: wait))
      }
      let row = try reading { () throws(PostgresError) in try VaultRows.decode(found[0]) }
      switch try await findOrMake(row, .`init`, "created", in: &transaction, of: caller) {
      case .made(let reply): return .success(reply)
      case .found(let row): return .success(try await openExisting(row, in: &transaction, of: caller))
      }
    }
  }

  enum FoundVault: ~Copyable {
    case found(VaultRow)
    case made(KeyReply)
  }

  /// The vault whose row is locked, or one that is made now. Other calls may make and delete it between two looks, and
  /// neither is anybody's mistake; that they do both, time and again, is.
  func findOrMake(
    _ row: VaultRow?, _ action: VaultAction, _ context: String, in transaction: inout PostgresTransaction,
    of caller: Caller
  ) async throws(IssuerProblem) -> FoundVault {
    if let row { return .found(row) }
    for _ in 0..<8 {
      if let made = try await makeVault(action, context, in: &transaction, of: caller) { return .made(made) }
      // Somebody else's was there a moment ago.
      let again = try await transaction.ask([VaultRows.lock(caller.scope)])
      if let row = try reading({ () throws(PostgresError) in try VaultRows.decode(again[0]) }) { return .found(row) }
    }
    throw .failed(.brokenRow)
  }

  /// Nil where a vault was made meanwhile.
  private func makeVault(
    _ action: VaultAction, _ context: String, in transaction: inout PostgresTransaction, of caller: Caller
  ) async throws(IssuerProblem) -> KeyReply? {
    let new = try makeKey(for: caller)
    let inserted = try await transaction.ask([
      VaultRows.addUser(caller.scope),
      VaultRows.insert(caller.scope, wrap: new.wrapped.pair, kekId: new.wrapped.keyId, check: new.check),
    ])
    guard inserted[1].affected == 1 else { return nil }
    _ = try await transaction.ask(try note(action, 201, context, by: caller))
    return .key(new.intoHandout())
  }

  private func openExisting(
    _ row: VaultRow, in transaction: inout PostgresTransaction, of caller: Caller
  ) async throws(IssuerProblem) -> KeyReply {
    let reply: KeyReply = row.isZeroKnowledge ? .recovery(try RecoveryReply(row)) : try handOut(row, to: caller)
    _ = try await transaction.ask(
      try note(.`init`, 200, row.isZeroKnowledge ? "already-exists-zk" : "already-exists", by: caller))
    return reply
  }
}
