// What the demo prints, and whether everything went as it should. Plain lines, so that a pipe reads as well as a
// person; anything unexpected is a surprise, and one surprise makes the demo fail.

import Glibc

struct Stage: ~Copyable {
  private(set) var opened = 0
  private(set) var refused = 0
  private(set) var surprises = 0

  mutating func chapter(_ title: String) { line("\n" + title) }

  mutating func say(_ text: String) { line("  " + text) }

  /// Something that should work and did.
  mutating func works(_ what: String, _ result: String) {
    opened += 1
    line("  ok        \(what): \(result)")
  }

  /// An attempt that must be refused, and for this reason.
  mutating func expect(_ wanted: String, from attempt: String, got answer: String) {
    if answer == wanted {
      refused += 1
      line("  refused   \(attempt) → \(answer)")
    } else {
      surprise("\(attempt): expected \(wanted), got \(answer)")
    }
  }

  mutating func surprise(_ what: String) {
    surprises += 1
    line("  SURPRISE  \(what)")
  }

  /// One write per line: a demo that is stopped half-way has shown whole lines.
  private func line(_ text: String) {
    print(text)
    fflush(nil)
  }
}
