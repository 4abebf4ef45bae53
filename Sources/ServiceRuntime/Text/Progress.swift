// A word to whoever waits: how far the work has come, how fast it goes, how long it will take.

import Synchronization

package enum Progress {
  /// Where nobody watches, nothing is said, so that logs and pipes hold results alone.
  package static func note(_ sentence: String) {
    guard StandardStream.error.isTerminal else { return }
    write("\(sentence)\n")
  }

  /// For what a script waits for as well. On a terminal it takes the place of a line that is being drawn.
  package static func tell(_ sentence: String) {
    write(StandardStream.error.isTerminal ? "\r\u{1B}[K\(sentence)\n" : "\(sentence)\n")
  }

  static func write(_ text: String) {
    do throws(SystemFailure) { try StandardStream.error.write(text) } catch {
      // Whoever watched is gone; the work is not.
    }
  }
}

/// Counts work of which it is known how much there is. On a terminal one line is drawn again and again; elsewhere there
/// is a line per thousand and one at the end.
package final class ProgressMeter: Sendable {
  private struct State {
    var done = 0
    var shownAt: ContinuousClock.Instant?
  }

  private let title: String
  private let total: Int
  private let isTerminal: Bool
  private let clock: @Sendable () -> ContinuousClock.Instant
  private let write: @Sendable (String) -> Void
  private let began: ContinuousClock.Instant
  private let state = Mutex(State())

  private static let stride = 1_000
  /// Faster than that nobody reads.
  private static let pause = Duration.milliseconds(200)

  /// `title` says what is done to what: "moving grants".
  package init(
    _ title: String, total: Int, isTerminal: Bool = StandardStream.error.isTerminal,
    clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
    write: @escaping @Sendable (String) -> Void = { Progress.write($0) }
  ) {
    (self.title, self.total, self.isTerminal, self.clock, self.write) = (title, total, isTerminal, clock, write)
    began = clock()
  }

  package func advance() {
    let now = clock()
    let (done, isDue) = state.withLock { state in
      state.done += 1
      let isDue =
        isTerminal
        ? state.shownAt.map { $0.duration(to: now) >= Self.pause } ?? true : state.done.isMultiple(of: Self.stride)
      if isDue { state.shownAt = now }
      return (state.done, isDue)
    }
    if isDue { show(done, at: now, isLast: false) }
  }

  package func finish() { show(state.withLock(\.done), at: clock(), isLast: true) }

  private func show(_ done: Int, at now: ContinuousClock.Instant, isLast: Bool) {
    let line = Self.line(title, done: done, of: total, after: began.duration(to: now))
    // Back to the beginning of the line, and nothing left of the one before.
    write(isTerminal ? "\r\(line)\u{1B}[K\(isLast ? "\n" : "")" : "\(line)\n")
  }

  /// `moving grants: 1200 of 4000 (30 %), 310 per second, 9 s left`
  static func line(_ title: String, done: Int, of total: Int, after elapsed: Duration) -> String {
    // New work may have come while the old was done.
    let total = max(total, done)
    var line = "\(title): \(done) of \(total)"
    if total > 0 { line += " (\(done * 100 / total) %)" }
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    guard done > 0, seconds > 0.001 else { return line }
    let rate = Double(done) / seconds
    line += rate < 10 ? ", \(Int(rate * 60)) per minute" : ", \(Int(rate)) per second"
    if done < total { line += ", \(Self.text(Int((Double(total - done) / rate).rounded(.up)))) left" }
    return line
  }

  private static func text(_ seconds: Int) -> String {
    switch seconds {
    case ..<100: "\(seconds) s"
    case ..<6_000: "\(seconds / 60) min"
    default: "\(seconds / 3_600) h \(seconds % 3_600 / 60) min"
    }
  }
}
