// Issuing as the seeds do, for clients that cannot read v2 yet and only behind a switch: the same members in the same
// order, the same key for the same names. Nothing of it is stored, so nothing of it can be revoked before it expires.

import Contracts
import Cryptography
import Grants
import Postgres
import Store
import Vault

extension Issuer {
  func issueGrantV1(
    _ call: IssueGrantCall, for key: RSAPublicKey, by caller: Caller
  ) async -> Outcome<JSONValue> {
    do throws(IssuerProblem) {
      guard try !call.flag("attach") else { throw .badRequest("attach needs a grant of version v2.") }
    } catch { return .failure(error) }
    let outcome = await transact(caller) { transaction throws(IssuerProblem) -> Outcome<JSONValue> in
      let found = try await transaction.ask([
        VaultRows.lock(caller.scope), rules.issues.wait(of: caller.scope), Clock.read,
      ])
      if let wait = try reading({ () throws(PostgresError) in try VaultAudit.decodeWait(found[1]) }) {
        return .failure(.tooManyRequests(retryAfter: wait))
      }
      let row = try reading { () throws(PostgresError) in try VaultRows.decode(found[0]) }
      guard let row, !row.isZeroKnowledge else {
        let problem = row == nil ? IssuerProblem.vaultNotInitialised : .zeroKnowledgeActive
        _ = try await transaction.ask(
          try note(.grantRefuse, problem.status, row == nil ? "not-initialised" : "zk-active", by: caller))
        return .failure(problem)
      }
      guard let wrap = row.wrapped else { throw .failed(.brokenRow) }
      let now = try reading { () throws(PostgresError) in try Clock.decode(found[2]) }
      let grant = try sealV1(call, for: key, of: caller.user, from: wrap, at: now)
      let digest = Hex.encode(
        SHA256.digest(Array(canonicalScopeV1(tables: call.tables, recordIds: call.recordIds).utf8)))
      _ = try await transaction.ask(try note(.grantIssue, 200, "v1 scope=\(digest)", by: caller))
      return .success(grant.json)
    }
    if case .failure(let problem) = outcome, problem.status >= 500 {
      await noteSeparately(.grantRefuse, problem.status, "failed", by: caller)
    }
    return outcome
  }

  private func sealV1(
    _ call: IssueGrantCall, for key: RSAPublicKey, of user: Identifier, from wrap: WrappedMasterKey, at now: Instant
  ) throws(IssuerProblem) -> GrantV1 {
    let missionKey: MissionKeyV1
    do throws(VaultFailure) {
      missionKey = try vault.missionKeyV1(
        from: wrap, of: user, mission: call.mission, tables: call.tables, recordIds: call.recordIds)
    } catch { throw IssuerProblem(error) }
    do throws(CryptographyError) {
      return try SealedGrantV1.seal(
        missionKey, for: key,
        derivation: GrantV1.Derivation(missionId: call.mission, tables: call.tables, recordIds: call.recordIds),
        issuedAt: now, expiresAt: GrantLifetime.expiry(issuedAt: now, wanted: call.ttl))
    } catch { throw .failed(.cryptography(error)) }
  }
}
