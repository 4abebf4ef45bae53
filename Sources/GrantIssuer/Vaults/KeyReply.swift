// What the vault's routes answer with a key: the key itself, in memory that is wiped, or, in zero-knowledge mode, the
// pair from which its owner can recover it.

import Contracts
package import Secrets
import Store
package import Vault

package enum KeyReply: ~Copyable {
  case key(KeyHandout)
  case recovery(RecoveryReply)

  /// The JSON to be sent. Whoever sends it owns it.
  package consuming func intoBody() -> WipedBytes {
    switch consume self {
    case .key(let handout): handout.intoBody()
    case .recovery(let reply): WipedBytes(copying: reply.json.compactBytes().span)
    }
  }
}

package struct RecoveryReply: Sendable {
  let key: String
  let iv: String
  let formatVersion: Int

  /// The tables' checks see to it that the pair is there in zero-knowledge mode.
  init(_ row: VaultRow) throws(IssuerProblem) {
    guard let recovery = row.recovery else { throw .failed(.brokenRow) }
    (key, iv, formatVersion) = (recovery.key, recovery.iv, row.recoveryFormatVersion)
  }

  var json: JSONValue {
    .object(
      JSONObject(members: [
        ("requiresRecoveryCode", .bool(true)), ("recoveryWrappedMk", .string(key)), ("recoveryIv", .string(iv)),
        ("formatVersion", .number(JSONNumber(formatVersion))),
      ]))
  }
}

extension Issuer {
  func handOut(_ row: VaultRow, to caller: Caller) throws(IssuerProblem) -> KeyReply {
    guard let wrapped = row.wrapped else { throw .failed(.brokenRow) }
    do throws(VaultFailure) {
      return .key(try vault.handOut(wrapped, to: caller.user, formatVersion: row.formatVersion))
    } catch { throw IssuerProblem(error) }
  }

  func makeKey(for caller: Caller) throws(IssuerProblem) -> NewKey {
    do throws(VaultFailure) { return try vault.makeKey(for: caller.user) } catch { throw IssuerProblem(error) }
  }
}

extension WrappedMasterKey {
  /// As the row's two columns take it.
  var pair: (key: String, iv: String) { (ciphertext, iv) }
}
