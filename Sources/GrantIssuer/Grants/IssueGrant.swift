// Issuing: from names to a grant, in one transaction behind the user's lock. The former grant of the mission is closed,
// the new one, its key shares and its line in the vault's log are written, and only when all of it is committed does the
// answer leave.

package import Contracts
import Cryptography
import Grants
import Postgres
import Store
import Vault

extension Issuer {
  /// The grant's JSON, to be stored on the mission.
  package func issueGrant(_ call: IssueGrantCall, by caller: Caller) async -> Result<JSONValue, IssuerProblem> {
    do throws(IssuerProblem) {
      guard let resolverKey else { throw .grantNotConfigured }
      try call.checkCounts()
      switch try call.version(issuesV1: rules.issuesV1) {
      case .v1: return await issueGrantV1(call, for: resolverKey, by: caller)
      case .v2:
        let wish = try GrantWish(call)
        return await issue(wish, for: resolverKey, by: caller)
      }
    } catch { return .failure(error) }
  }

  private func issue(_ wish: GrantWish, for key: RSAPublicKey, by caller: Caller) async -> Outcome<JSONValue> {
    var superseded: [ClosedGrant] = []
    let outcome = await transact(caller) { transaction throws(IssuerProblem) -> Outcome<JSONValue> in
      let records = wish.consent.scope.records
      let found = try await transaction.ask([
        VaultRows.lock(caller.scope), rules.issues.wait(of: caller.scope), Clock.read,
        RecordPresence.of(records, in: caller.scope),
      ])
      if let wait = try reading({ () throws(PostgresError) in try VaultAudit.decodeWait(found[1]) }) {
        return .failure(.tooManyRequests(retryAfter: wait))
      }
      let row = try reading { () throws(PostgresError) in try VaultRows.decode(found[0]) }
      let present = try reading { () throws(PostgresError) in
        try RecordPresence.decode(found[3], count: records.count)
      }
      if let refusal = refusal(row, wish, present) {
        _ = try await transaction.ask(
          try note(.grantRefuse, refusal.problem.status, refusal.context, by: caller))
        return .failure(refusal.problem)
      }
      guard let wrap = row?.wrapped else { throw .failed(.brokenRow) }
      let now = try reading { () throws(PostgresError) in try Clock.decode(found[2]) }
      let grant = try seal(wish, for: key, of: caller.user, from: wrap, at: now)
      superseded = try await store(grant, wish, in: &transaction, by: caller)
      return .success(grant.json)
    }
    if !superseded.isEmpty, case .success = outcome { _ = await drain(superseded) }
    if case .failure(let problem) = outcome, problem.status >= 500 || problem == .unknownMission {
      await noteSeparately(
        .grantRefuse, problem.status, problem == .unknownMission ? "unknown-mission" : "failed", by: caller)
    }
    return outcome
  }

  private func refusal(
    _ row: VaultRow?, _ wish: GrantWish, _ present: [RecordPresence]
  ) -> (problem: IssuerProblem, context: String)? {
    guard let row else { return (.vaultNotInitialised, "not-initialised") }
    guard !row.isZeroKnowledge else { return (.zeroKnowledgeActive, "zk-active") }
    let missing = zip(wish.consent.scope.records, present).filter { _, presence in
      presence == .unknownTable || (presence == .absent && !wish.allowsMissing)
    }
    return missing.isEmpty ? nil : (.unknownRecords(missing.map(\.0.joined)), "unknown-record")
  }

  private func seal(
    _ wish: GrantWish, for key: RSAPublicKey, of user: Identifier, from wrap: WrappedMasterKey, at now: Instant
  ) throws(IssuerProblem) -> SealedIssue {
    let claims = GrantClaims(
      grantId: Identifier(try RandomID.uuid()), keyId: key.keyIdHex, user: user, mission: wish.consent.mission,
      scope: wish.consent.scope, issuedAt: now, expiresAt: GrantLifetime.expiry(issuedAt: now, wanted: wish.ttl))
    let sealed = try vault.withKeys(for: claims, from: wrap) { keys throws(IssuerProblem) -> SealedIssue in
      do throws(VaultFailure) {
        return try SealedIssue(claims, for: key, with: &keys)
      } catch { throw IssuerProblem(error) }
    }
    switch sealed {
    case .success(let issue): return issue
    case .failure(let failure): throw IssuerProblem(failure)
    }
  }

  private func store(
    _ issue: SealedIssue, _ wish: GrantWish, in transaction: inout PostgresTransaction, by caller: Caller
  ) async throws(IssuerProblem) -> [ClosedGrant] {
    let claims = issue.grant.claims
    let label = GrantLabel(claims)
    var statements = [GrantClosing.statement(caller.scope, mission: claims.mission, reason: .superseded)]
    statements += GrantRows.insert(
      NewGrant(
        claims: claims, wrappedKey: issue.grant.wrappedKey, label: label.bytes, shares: issue.shares,
        purpose: wish.purpose, renewableUntil: GrantLifetime.expiry(issuedAt: claims.issuedAt, wanted: .infinity)))
    statements += try note(
      .grantIssue, 200, "grant=\(claims.grantId.text) scope=\(label.scopeDigest)", by: caller)
    if wish.attaches {
      statements.append(GrantRows.attach(issue.json, mission: claims.mission, of: caller.scope))
    }
    let results = try await transaction.ask(statements)
    if wish.attaches {
      let attached = try reading { () throws(PostgresError) in try GrantRows.decodeAttached(results[results.count - 1])
      }
      guard attached else { throw .unknownMission }
    }
    return try reading { () throws(PostgresError) in try GrantClosing.decode(results[0]) }
  }
}

/// A call for a v2 grant, checked as far as that is possible without looking anything up.
struct GrantWish: Sendable {
  let consent: ConsentedScope
  let ttl: Double?
  let purpose: String?
  let attaches: Bool
  let allowsMissing: Bool

  init(_ call: IssueGrantCall) throws(IssuerProblem) {
    consent = try ConsentedScope(call)
    ttl = call.ttl
    purpose = try call.purpose()
    attaches = try call.flag("attach")
    allowsMissing = try call.flag("allowMissing")
  }
}

/// A grant with its keyring, sealed; no key is left in it.
struct SealedIssue: Sendable {
  let grant: GrantV2
  let shares: [[UInt8]]

  var json: JSONValue { grant.json }

  init(_ claims: GrantClaims, for key: RSAPublicKey, with keys: inout ScopeKeys) throws(VaultFailure) {
    let missionKey = try keys.missionKey()
    var shares: [[UInt8]] = []
    shares.reserveCapacity(claims.scope.records.count)
    do throws(CryptographyError) {
      grant = try SealedGrantV2.seal(missionKey, for: key, claims: claims)
      var cipher = try AESGCM()
      let nonces = try SecureRandom.bytes(claims.scope.records.count * KeyringRow.nonceBytes)
      for (place, record) in claims.scope.records.enumerated() {
        let recordKey: RecordKey
        do throws(VaultFailure) { recordKey = try keys.recordKey(record) } catch {
          guard case .failed(let failure) = error else { throw .broken("a record key could not be derived") }
          throw failure
        }
        let nonce = Array(nonces[(place * KeyringRow.nonceBytes)..<((place + 1) * KeyringRow.nonceBytes)])
        shares.append(
          try KeyringRow.seal(
            recordKey, under: missionKey, grantId: claims.grantId, record: record, nonce: nonce, with: &cipher))
      }
    } catch { throw .failed(error) }
    self.shares = shares
  }
}

extension VaultRow {
  /// The key as the vault opens it; nil in zero-knowledge mode.
  var wrapped: WrappedMasterKey? {
    wrap.map { WrappedMasterKey(ciphertext: $0.key, iv: $0.iv, keyId: kekId) }
  }
}
