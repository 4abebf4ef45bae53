// The issuer dies at every boundary there is between its messages to the database and between the answers. Whatever it
// was doing is done whole or not at all, and the next one can do it.

import Contracts
import Foundation
import Postgres
import PostgresSupport
import Secrets
import Store
import StoreSupport
import Testing

@testable import GrantIssuer

@Suite struct KilledIssuerTests {
  enum Deed: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case issue, revoke, rotate, zeroKnowledge, `init`
    var testDescription: String { rawValue }

    /// What the database holds of it, for a user whose former state is known.
    static let state = """
      SELECT 'vault ' || coalesce(string_agg(coalesce(v.wrapped_mk, 'zk'), ''), 'none') FROM auth.encryption_vaults AS v
        WHERE v.user_id = $1
      UNION ALL SELECT 'grants ' || coalesce(string_agg(g.grant_id || coalesce(g.closed_reason, 'open')
        || (SELECT count(*) FROM mana_ai.grant_keys AS k WHERE k.grant_id = g.grant_id), ' ' ORDER BY g.grant_id), '')
        FROM mana_ai.grants AS g WHERE g.user_id = $1
      UNION ALL SELECT 'lines ' || count(*) FROM auth.encryption_vault_audit AS a WHERE a.user_id = $1
      UNION ALL SELECT 'log ' || count(*) FROM public.sync_changes AS c WHERE c.user_id = $1
      """
  }

  private func state(_ office: Office, _ user: String) async throws -> [String] {
    try await office.admin.query(Statement(Deed.state, .text).bind(.text(user))).map { try $0.get(0) }
  }

  private func prepare(_ office: Office, _ user: String, for deed: Deed) async throws -> Caller {
    guard deed != .`init` else { return try caller(user) }
    let caller = try await office.addUser(user)
    try await office.addMission(user, "m")
    _ = try await office.issuer.setRecovery(try .sample, by: caller).get()
    _ = try await office.issuer.issueGrant(try wish("m", ["n1", "n2"]), by: caller).get()
    return caller
  }

  private func perform(_ deed: Deed, _ issuer: Issuer, _ caller: Caller) async throws -> IssuerProblem? {
    switch deed {
    case .issue: await issuer.issueGrant(try wish("m", ["n2", "n3"], #","attach":true"#), by: caller).problem
    case .revoke: await issuer.revokeGrant(mission: "m", by: caller).failure
    case .rotate: problem(await issuer.rotateKey(of: caller))
    case .zeroKnowledge: await issuer.changeZeroKnowledge(.enter, by: caller).problem
    case .`init`: problem(await issuer.initVault(of: caller))
    }
  }

  private func run(
    _ office: Office, _ deed: Deed, _ caller: Caller, _ cut: Guillotine.Cut
  ) async throws -> (sight: Guillotine.Sight, problem: IssuerProblem?) {
    let cluster = try await TemporaryCluster.shared()
    let guillotine = try Guillotine(
      before: "\(cluster.socketFolder)/.s.PGSQL.\(TemporaryCluster.socketPort)", cut: cut, marker: Array("no mark".utf8)
    )
    let pool = PostgresPool(
      try ConnectionConfiguration(
        url: guillotine.url(database: office.database.name, user: StoreRole.issuer.rawValue),
        applicationName: "mandate-tests"),
      limits: PoolLimits(minimum: 0, maximum: 1))
    let issuer = try office.issuer(pool: pool)
    let work = Task {
      let problem = try await perform(deed, issuer, caller)
      // Without a cut this is what ends the connection.
      _ = await pool.drain(deadline: .after(.seconds(20)))
      return problem
    }
    let sight = await guillotine.result()
    // Who was killed does not try again.
    work.cancel()
    return (sight, try await work.value)
  }

  @Test("Killed at any message, a deed is done whole or not at all, and can be done again", arguments: Deed.allCases)
  func everyBoundary(deed: Deed) async throws {
    try await Office.with { office in
      let whole = try await run(office, deed, try await prepare(office, "whole", for: deed), .never)
      #expect(whole.problem == nil && !whole.sight.wasCut)
      var (done, undone, number) = (0, 0, 0)
      let cuts =
        (0..<whole.sight.requests).map { Guillotine.Cut.afterRequests($0) }
        + (0..<whole.sight.answers).map { Guillotine.Cut.afterAnswers($0) }
      for cut in cuts {
        number += 1
        let user = "user\(number)"
        let caller = try await prepare(office, user, for: deed)
        let before = try await state(office, user)
        let (sight, problem) = try await run(office, deed, caller, cut)
        #expect(sight.wasCut, "\(cut)")
        let after = try await state(office, user)
        if after == before {
          undone += 1
          #expect(problem != nil, "\(cut): nothing was done, and the answer was a success")
        } else {
          done += 1
          #expect(try await isWhole(office, deed, user, before, after), "\(cut): \(before) became \(after)")
        }
        let again = try await perform(deed, office.issuer, caller)
        #expect(again == nil, "\(cut): \(String(describing: again))")
        for (name, sql) in ConcurrencyTests.invariants { #expect(try await office.number(sql) == 0, "\(cut): \(name)") }
      }
      print(
        "killed issuer, \(deed): \(cuts.count) boundaries; \(undone) times nothing remained, \(done) times all of it")
      #expect(done > 0 && undone > 0 && cuts.count > 20)
    }
  }

  /// All of what the deed writes is there.
  private func isWhole(
    _ office: Office, _ deed: Deed, _ user: String, _ before: [String], _ after: [String]
  ) async throws -> Bool {
    let (vaultChanged, logChanged) = (before[0] != after[0], before[3] != after[3])
    let oneLineMore = Int(after[2].dropFirst(6)) == (Int(before[2].dropFirst(6)) ?? 0) + 1
    let reasons = try await office.texts(
      """
      SELECT coalesce(g.closed_reason, 'open') || (SELECT count(*) FROM mana_ai.grant_keys AS k WHERE k.grant_id = g.grant_id)
      FROM mana_ai.grants AS g WHERE g.user_id = '\(user)' ORDER BY g.issued_at, g.closed_at NULLS LAST
      """)
    guard oneLineMore else { return false }
    return switch deed {
    case .issue: !vaultChanged && logChanged && reasons == ["superseded0", "open2"]
    case .revoke: !vaultChanged && !logChanged && reasons == ["user0"]
    case .rotate: vaultChanged && !logChanged && reasons == ["vault-rotated0"]
    case .zeroKnowledge: after[0] == "vault zk" && !logChanged && reasons == ["zero-knowledge0"]
    case .`init`: vaultChanged && !logChanged && reasons.isEmpty
    }
  }
}
