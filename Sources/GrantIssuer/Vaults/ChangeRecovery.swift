// The pair by which a user's own device can recover the key: stored and forgotten as it comes, for nobody here can read
// it.

package import Contracts
import Postgres
import Store

/// Both texts as the device made them. Their form is the device's own business; that they can be stored is ours.
package struct RecoveryCall: Sendable {
  let key: String
  let iv: String

  /// A wrapped key has 64 characters; whatever is longer than this is none.
  static let longest = 4_096

  package init(_ body: Span<UInt8>) throws(IssuerProblem) {
    let value: JSONValue
    do throws(JSONProblem) { value = try JSONValue(parsing: body) } catch { throw .badRequest("The body is not JSON.") }
    func text(_ name: String) throws(IssuerProblem) -> String {
      guard let text = value[name]?.text, (1...Self.longest).contains(text.utf8.count), !text.utf8.contains(0) else {
        throw .badRequest("\(name) must be a string of 1 to \(Self.longest) bytes.")
      }
      return text
    }
    key = try text("recoveryWrappedMk")
    iv = try text("recoveryIv")
  }
}

extension Issuer {
  package func setRecovery(_ call: RecoveryCall, by caller: Caller) async -> Result<JSONValue, IssuerProblem> {
    await transact(caller) { transaction throws(IssuerProblem) -> Outcome<JSONValue> in
      guard try await lockVault(in: &transaction, of: caller) != nil else {
        _ = try await transaction.ask(try note(.recoverySet, 404, "no-vault", by: caller))
        return .failure(.vaultNotInitialised)
      }
      _ = try await transaction.ask(
        [VaultRows.setRecovery(caller.scope, key: call.key, iv: call.iv)] + (try note(.recoverySet, 200, by: caller)))
      return .success(.done)
    }
  }

  package func clearRecovery(by caller: Caller) async -> Result<JSONValue, IssuerProblem> {
    await transact(caller) { transaction throws(IssuerProblem) -> Outcome<JSONValue> in
      guard let row = try await lockVault(in: &transaction, of: caller) else {
        _ = try await transaction.ask(try note(.recoveryClear, 404, "no-vault", by: caller))
        return .failure(.vaultNotInitialised)
      }
      guard !row.isZeroKnowledge else {
        _ = try await transaction.ask(try note(.recoveryClear, 409, "zk-active", by: caller))
        return .failure(.zeroKnowledgeActive)
      }
      _ = try await transaction.ask(
        [VaultRows.clearRecovery(caller.scope)] + (try note(.recoveryClear, 200, by: caller)))
      return .success(.done)
    }
  }

  func lockVault(
    in transaction: inout PostgresTransaction, of caller: Caller
  ) async throws(IssuerProblem) -> VaultRow? {
    let found = try await transaction.ask([VaultRows.lock(caller.scope)])
    return try reading { () throws(PostgresError) in try VaultRows.decode(found[0]) }
  }
}

extension JSONValue {
  static let done = JSONValue.object(JSONObject(members: [("ok", .bool(true))]))
}
