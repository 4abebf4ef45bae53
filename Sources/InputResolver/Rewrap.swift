// Moves open grants from former keys to the current one while resolvers serve: each grant is opened, sealed for the
// current key, and exchanged in a transaction of its own, if its row is still what was opened. So it may be killed at any
// point and run again; what was moved is not looked at twice, because it is for another key then.

import Contracts
package import Cryptography
package import Grants
import Postgres
package import ServiceRuntime
package import Store

package struct Rewrap: Sendable {
  private let grants: GrantRewrapping
  private let keys: any Unwrapper
  private let current: RSAPublicKey
  private let workers: WorkerThreads
  private let rules: Rules
  private let isStopWanted: @Sendable () -> Bool

  package struct Rules: Sendable {
    package var isDryRun = false
    /// Grants in hand at once; each takes a connection.
    package var lanes = 4

    package init() {}
  }

  /// `keys` holds `current` and the former keys.
  package init(
    _ grants: GrantRewrapping, keys: any Unwrapper, current: RSAPublicKey, workers: WorkerThreads, rules: Rules,
    isStopWanted: @escaping @Sendable () -> Bool
  ) {
    (self.grants, self.keys, self.current, self.workers) = (grants, keys, current, workers)
    (self.rules, self.isStopWanted) = (rules, isStopWanted)
  }

  /// Issuers that were not told of the new key yet go on issuing for the former one; whoever chases them without end
  /// never ends.
  private static let mostPasses = 3

  /// `wanted` names former keys; none means all of them.
  package func run(from wanted: [String], meter: (Int) -> ProgressMeter) async throws(RewrapProblem) -> RewrapReport {
    let names = try RewrapReport.formerKeys(wanted, held: keys.keyIds, current: current.keyIdHex)
    var report = RewrapReport(current: current.keyIdHex, isDryRun: rules.isDryRun)
    for name in names {
      let isHeld = keys.keyIds.contains(name)
      report.keys.append(.init(keyId: name, isHeld: isHeld, open: try await count(name, report)))
    }
    try report.refuseUnknown(held: keys.keyIds)
    let held = report.keys.indices.filter { report.keys[$0].isHeld }
    let progress = meter(held.reduce(0) { $0 + report.keys[$1].open })
    for index in held { try await move(&report, index, progress) }
    progress.finish()
    return report
  }

  private func count(_ key: String, _ report: RewrapReport) async throws(RewrapProblem) -> Int {
    do throws(PostgresError) { return try await grants.count(ofKey: key) } catch {
      throw .database("\(error)", soFar: report.moved)
    }
  }

  // MARK: One key

  private func move(_ report: inout RewrapReport, _ index: Int, _ progress: ProgressMeter) async throws(RewrapProblem) {
    let key = report.keys[index].keyId
    for _ in 0..<Self.mostPasses where !report.wasStopped {
      report.forgetFailures(of: index)
      try await pass(&report, index, progress)
      guard !rules.isDryRun else { return }
      report.keys[index].left = try await count(key, report)
      if report.keys[index].left <= report.keys[index].failed { return }
    }
  }

  private func pass(_ report: inout RewrapReport, _ index: Int, _ progress: ProgressMeter) async throws(RewrapProblem) {
    let key = report.keys[index].keyId
    var last: Identifier?
    while true {
      if isStopWanted() {
        report.wasStopped = true
        return
      }
      let page: [WrappedGrant]
      do throws(PostgresError) { page = try await grants.page(ofKey: key, after: last) } catch {
        throw .database("\(error)", soFar: report.moved)
      }
      guard let end = page.last?.grant else { return }
      last = end
      try await work(page, key, &report, index, progress)
    }
  }

  private enum Outcome: Sendable {
    case moved
    case changed
    case failed(Identifier, RewrapReport.Reason)
    /// Nothing can be done any more, for this grant or any.
    case database(String)
  }

  private func work(
    _ page: [WrappedGrant], _ key: String, _ report: inout RewrapReport, _ index: Int, _ progress: ProgressMeter
  ) async throws(RewrapProblem) {
    var (outcomes, trouble) = ([Outcome](), String?.none)
    await withTaskGroup(of: Outcome.self) { group in
      var rest = page[...]
      for grant in rest.prefix(rules.lanes) { group.addTask { await move(grant, key) } }
      rest = rest.dropFirst(rules.lanes)
      for await outcome in group {
        outcomes.append(outcome)
        progress.advance()
        if case .database(let sentence) = outcome { trouble = sentence }
        guard trouble == nil, !isStopWanted(), let grant = rest.popFirst() else { continue }
        group.addTask { await move(grant, key) }
      }
    }
    for outcome in outcomes {
      switch outcome {
      case .moved: report.keys[index].moved += 1
      case .changed: report.keys[index].changed += 1
      case .failed(let grant, let reason): report.fail(grant, index, reason)
      case .database: break
      }
    }
    if let trouble { throw .database(trouble, soFar: report.moved) }
  }

  // MARK: One grant

  private func move(_ grant: WrappedGrant, _ key: String) async -> Outcome {
    let sealed = await workers.run { seal(grant, key) }
    switch sealed {
    case .failure(.refused): return .failed(grant.grant, .wrapRejected)
    case .failure(.failed): return .failed(grant.grant, .internal)
    case .success(let wrap): return rules.isDryRun ? .moved : await exchange(grant, key, wrap)
    }
  }

  /// On a thread of ours: two private operations.
  private func seal(_ grant: WrappedGrant, _ key: String) -> Result<RewrappedGrant, GrantFailure> {
    guard let label = GrantLabel(parsing: grant.claims), label.grantId == grant.grant, label.user == grant.user,
      label.mission == grant.mission, label.keyId == key
    else { return .failure(.refused(.wrapRejected)) }
    return Result { () throws(GrantFailure) in
      try SealedGrantV2.rewrap(grant.wrappedKey, label: label, keys: keys, for: current)
    }
  }

  private func exchange(_ grant: WrappedGrant, _ key: String, _ wrap: RewrappedGrant) async -> Outcome {
    do throws(TransactionError<GrantRewrapping.Failure>) {
      let exchange = try await grants.exchange(
        grant, ofKey: key, for: wrap.keyId, wrappedKey: wrap.wrappedKey, claims: wrap.claims)
      return exchange == .done ? .moved : .changed
    } catch {
      switch error {
      case .body(.claimsDiffer), .rollback(.claimsDiffer, _): return .failed(grant.grant, .claimsDiffer)
      case .body(.database(.server(let refusal))) where refusal.state.classCode == "23":
        return .failed(grant.grant, .refusedByDatabase)
      case .body(.database(let error)), .rollback(.database(let error), _): return .database("\(error)")
      case .begin(let error), .commit(let error), .commitUnknown(let error): return .database("\(error)")
      case .aborted: return .database("a statement had failed")
      }
    }
  }
}
