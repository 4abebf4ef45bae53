// What there is of a user's vault, without anything of its contents.

package import Contracts
import Postgres
import Store

extension Issuer {
  package func showVaultStatus(of caller: Caller) async -> Result<JSONValue, IssuerProblem> {
    await transact(caller, access: .readOnly) { transaction throws(IssuerProblem) -> Outcome<JSONValue> in
      let found = try await transaction.ask([VaultRows.read(caller.scope)])
      let row = try reading { () throws(PostgresError) in try VaultRows.decode(found[0]) }
      return .success(
        .object(
          JSONObject(members: [
            ("vaultExists", .bool(row != nil)), ("hasRecoveryWrap", .bool(row?.recovery != nil)),
            ("zeroKnowledge", .bool(row?.isZeroKnowledge ?? false)), ("recoverySetAt", .instant(row?.recoverySetAt)),
          ])))
    }
  }
}
