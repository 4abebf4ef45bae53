// What became of one file, with every case in exactly one place.

struct FileReport: Sendable {
  let path: String
  let verdict: Verdict

  enum Verdict: Sendable {
    case checked(kind: String, Tally)
    /// Of a known kind, or should have been readable, and is not: counts as failed.
    case broken(kind: String?, why: String)
    /// `later`: known by name, but its rules are built in a later step.
    case notUnderstood(what: String, later: Bool)
    /// Not vectors: left alone.
    case passedOver
  }
}

/// The cases of one file, sorted by how they ended.
struct Tally: Sendable, Equatable {
  struct Failure: Sendable, Equatable {
    let id: String
    let what: String
  }

  private(set) var cases = 0
  private(set) var passed = 0
  private(set) var failures: [Failure] = []
  private(set) var setApart: [String: Int] = [:]
  private(set) var skipped: [String: Int] = [:]

  init() {}

  init(_ results: [CaseResult]) {
    for result in results { add(result) }
  }

  private mutating func add(_ result: CaseResult) {
    cases += 1
    switch result.outcome {
    case .passed: passed += 1
    case .failed(let what): failures.append(Failure(id: result.id, what: what))
    case .setApart(let reason): setApart[reason, default: 0] += 1
    case .skipped(let reason): skipped[reason, default: 0] += 1
    }
  }

  var failed: Int { failures.count }
  var setApartCount: Int { setApart.values.reduce(0, +) }
  var skippedCount: Int { skipped.values.reduce(0, +) }
  /// Looked at, however it ended.
  var run: Int { cases - skippedCount }
}

/// All files together.
struct Totals: Sendable, Equatable {
  private(set) var files = 0
  private(set) var cases = 0
  private(set) var run = 0
  private(set) var passed = 0
  private(set) var failed = 0
  private(set) var setApart = 0
  private(set) var skipped = 0
  /// Files that failed as a whole.
  private(set) var broken = 0
  private(set) var notUnderstood = 0

  init(_ reports: [FileReport]) {
    for report in reports {
      switch report.verdict {
      case .checked(_, let tally):
        files += 1
        cases += tally.cases
        run += tally.run
        passed += tally.passed
        failed += tally.failed
        setApart += tally.setApartCount
        skipped += tally.skippedCount
      case .broken: broken += 1
      case .notUnderstood: notUnderstood += 1
      case .passedOver: break
      }
    }
  }

  /// Trouble comes before lack of understanding, and a run that looked at nothing proves nothing.
  func exitCode(partial: Bool) -> ExitCode {
    if failed > 0 || broken > 0 { return .failed }
    if notUnderstood > 0, !partial { return .notUnderstood }
    return run > 0 ? .passed : .failed
  }
}
