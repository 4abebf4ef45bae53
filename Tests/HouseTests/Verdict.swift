// What a rule of the house answers, and how a test reads it: a rule that looked at nothing has not been kept.

import Testing

/// The answer of one rule. Rules are plain functions from a model to a verdict, so that a fixture can break each of
/// them without a package, a compiler or a repository.
struct Verdict {
  /// How many things the rule looked at; zero means that it was never asked.
  private(set) var lookedAt = 0
  private(set) var problems: [String] = []

  mutating func look(_ count: Int = 1) { lookedAt += count }
  mutating func problem(_ text: String) { problems.append(text) }

  mutating func merge(_ other: Verdict) {
    lookedAt += other.lookedAt
    problems += other.problems
  }
}

/// The rule holds for the real house, and it looked at something.
func expectKept(_ rule: String, _ verdict: Verdict, sourceLocation: SourceLocation = #_sourceLocation) {
  print("house · \(rule): looked at \(verdict.lookedAt)")
  #expect(verdict.lookedAt > 0, "\(rule): looked at nothing", sourceLocation: sourceLocation)
  for problem in verdict.problems { Issue.record("\(rule): \(problem)", sourceLocation: sourceLocation) }
}

/// The rule catches the fixture: exactly one problem, and it names what is wrong.
func expectCaught(_ verdict: Verdict, naming words: String..., sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(verdict.problems.count == 1, "\(verdict.problems)", sourceLocation: sourceLocation)
  for word in words {
    let named = verdict.problems.first?.contains(word) ?? false
    #expect(named, "no \(word) in \(verdict.problems)", sourceLocation: sourceLocation)
  }
}

/// The rule lets the fixture pass, having looked at it.
func expectPassed(_ verdict: Verdict, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(verdict.lookedAt > 0, sourceLocation: sourceLocation)
  #expect(verdict.problems == [], sourceLocation: sourceLocation)
}
