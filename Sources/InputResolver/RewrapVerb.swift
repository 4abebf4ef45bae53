// `mandate-resolver rewrap`: how it is used, and what it stands on. It works with the resolver's own keys and database
// login, and opens nothing but mission keys, which it seals again.

import Contracts
import Grants
import Postgres
import ServiceHost
import ServiceRuntime
import Store

enum RewrapVerb {
  static let verb = ServiceVerb<ResolverConfiguration>(usage, run: run)

  private static let from = ServiceVerbUsage.Option.list(
    "from", "KEYID", reason: "A former key; may be given again. Without it, every former key that this resolver has."
  ) { (try? GrantV2.keyId($0)) == nil ? "a key id: 32 digits of 0-9 and a-f" : nil }
  private static let dryRun = ServiceVerbUsage.Option.flag(
    "dry-run", reason: "Open every wrap and say what would be moved, but change nothing.")

  private static let usage = ServiceVerbUsage(
    name: "rewrap", summary: "Moves open grants from former keys to the current one.",
    details: [
      "Every open grant of a former key is opened with it and sealed for the current key; what it grants, to whom and "
        + "until when stays as it is. Resolvers serve meanwhile, if all of them have both keys. Run it as the user that "
        + "the resolver runs as.",
      "It may be stopped or killed at any point and run again. Grants that cannot be moved are named with a reason, the "
        + "others are moved, and the exit code is 1. With 0, no open grant names a former key any more.",
    ],
    options: [from, dryRun],
    examples: [
      "mandate-resolver rewrap --dry-run", "mandate-resolver rewrap --json --from e06853f6b20ce595eadfc5544a22dc84",
    ])

  private static func run(
    _ configuration: consuming ResolverConfiguration, _ context: ServiceVerbContext
  ) async throws(StartProblem) -> ServiceVerbReport {
    guard let database = configuration.database, let fixed = configuration.fixed else {
      preconditionFailure("a configuration with a problem was used all the same")
    }
    let keys: ResolverKeys
    do throws(KeyRing.Problem) { keys = try KeyRing(fixed: fixed, folder: configuration.keyFolder).keys } catch {
      throw StartProblem(error.sentence)
    }
    guard let current = keys.currentPublicKey else { throw StartProblem(RewrapProblem.noKey.sentence) }
    var rules = Rewrap.Rules()
    rules.isDryRun = context.call.has(dryRun)
    // Some wait for the disk of the database while others keep the cores busy.
    rules.lanes = min(configuration.connections, 2 * WorkerThreads.cores)
    var limits = PoolLimits(minimum: 0, maximum: configuration.connections)
    // Longer than the patience: a person who reads the refusal decides whether to try again.
    (limits.firstBackoff, limits.longestBackoff) = (.seconds(60), .seconds(60))
    let pool = PostgresPool(database, limits: limits)
    let stop = context.stop
    let rewrap = Rewrap(
      GrantRewrapping(pool), keys: keys, current: current, workers: WorkerThreads(count: WorkerThreads.cores),
      rules: rules, isStopWanted: { stop.isAsked })
    let result: Result<RewrapReport, RewrapProblem>
    do throws(RewrapProblem) {
      let title = rules.isDryRun ? "looking at grants" : "moving grants"
      let report = try await rewrap.run(from: context.call.values(from)) { ProgressMeter(title, total: $0) }
      result = .success(report)
    } catch { result = .failure(error) }
    // What does not come home in time is cut off; every transaction was over before.
    _ = await pool.drain(deadline: .after(.seconds(5)))
    switch result {
    case .success(let report): return ServiceVerbReport(text: report.text, json: report.json, isDone: report.isDone)
    case .failure(let problem): throw StartProblem(problem.sentence)
    }
  }
}
