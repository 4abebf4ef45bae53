// One line for whoever watches a terminal: how many cases are done, how fast, and how long it may still take.

import Synchronization

final class ProgressLine: Sendable {
  private struct State {
    var checked: [String: Int] = [:]
    var cases = 0
    /// Whole files, and of the running ones as much as the share of their cases that is done.
    var finishedBytes = 0
    var runningBytes: [String: Double] = [:]
    var lastShown = Duration.zero
    var isShown = false
  }

  /// Often enough to be alive, seldom enough to be read.
  private static let pause = Duration.milliseconds(100)

  private let state = Mutex(State())
  private let totalBytes: Int
  private let elapsed: @Sendable () -> Duration
  private let show: @Sendable (String) -> Void

  init(totalBytes: Int, elapsed: @escaping @Sendable () -> Duration, show: @escaping @Sendable (String) -> Void) {
    self.totalBytes = totalBytes
    self.elapsed = elapsed
    self.show = show
  }

  func didCheck(_ count: Int, of total: Int, in file: FoundFile) {
    let now = elapsed()
    state.withLock { state in
      state.cases += count - state.checked[file.path, default: 0]
      state.checked[file.path] = count
      state.runningBytes[file.path] = Double(file.bytes) * Double(count) / Double(max(total, 1))
      guard now - state.lastShown >= Self.pause else { return }
      state.lastShown = now
      state.isShown = true
      let bytes = Double(state.finishedBytes) + state.runningBytes.values.reduce(0, +)
      show("\r\u{1B}[K" + Self.line(cases: state.cases, share: bytes / Double(max(totalBytes, 1)), after: now))
    }
  }

  func didFinish(_ file: FoundFile) {
    state.withLock { state in
      state.runningBytes[file.path] = nil
      state.finishedBytes += file.bytes
    }
  }

  /// Leaves a clean line behind.
  func finish() {
    if state.withLock({ $0.isShown }) { show("\r\u{1B}[K") }
  }

  static func line(cases: Int, share: Double, after elapsed: Duration) -> String {
    let seconds = max(Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18, 0.001)
    let rate = Int((Double(cases) / seconds).rounded())
    let line = "\(cases) cases, \(rate) per second"
    guard share > 0.01, share <= 1 else { return line }
    return line + ", about \(Int((seconds * (1 - share) / share).rounded(.up))) s left"
  }
}
