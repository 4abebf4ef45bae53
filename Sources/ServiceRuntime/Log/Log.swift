// The log: one JSON object per line. A line is a constant sentence, which says what happened, and fields that say to
// whom, how many and why.
//
//   log.warning("A grant was refused.", [.grantId: .id(grant), .reason: .reason(problem), .took: .took(elapsed)])

import Glibc
import Synchronization

package struct Log: Sendable {
  package enum Level: String, CaseIterable, Sendable, Comparable {
    /// For whoever looks for a fault; off unless asked for.
    case debug
    /// The life of the process and of what it works on.
    case info
    /// Something was refused or had to be tried again; nobody needs to get up.
    case warning
    /// Something that was promised is not kept.
    case error

    private var rank: Int {
      switch self {
      case .debug: 0
      case .info: 1
      case .warning: 2
      case .error: 3
      }
    }

    package static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
  }

  private let program: StaticString
  private let level: Level
  private let descriptor: Int32
  private let clock: WallClock
  private let lost = LostLines()
  /// Members that `adding` put into every line.
  private var context: [UInt8] = []

  /// The descriptor stays the caller's, and open for as long as the log is used.
  package init(
    program: StaticString, level: Level = .info, to descriptor: Int32 = STDERR_FILENO, clock: WallClock = .system
  ) {
    (self.program, self.level, self.descriptor, self.clock) = (program, level, descriptor, clock)
  }

  package func debug(_ event: StaticString, _ fields: @autoclosure () -> KeyValuePairs<LogKey, LogValue> = [:]) {
    write(.debug, event, fields)
  }

  package func info(_ event: StaticString, _ fields: @autoclosure () -> KeyValuePairs<LogKey, LogValue> = [:]) {
    write(.info, event, fields)
  }

  package func warning(_ event: StaticString, _ fields: @autoclosure () -> KeyValuePairs<LogKey, LogValue> = [:]) {
    write(.warning, event, fields)
  }

  package func error(_ event: StaticString, _ fields: @autoclosure () -> KeyValuePairs<LogKey, LogValue> = [:]) {
    write(.error, event, fields)
  }

  /// The same log with fields that all its lines have: the request, the trace. A key stands once in a line, so these
  /// are not to be repeated later.
  package func adding(_ fields: KeyValuePairs<LogKey, LogValue>) -> Log {
    var log = self
    for (key, value) in fields {
      log.context.append(UInt8(ascii: ","))
      LogLine.quote(key.rawValue, longest: LogValue.longestId, to: &log.context)
      log.context.append(UInt8(ascii: ":"))
      value.write(to: &log.context)
    }
    return log
  }

  /// Lines that could not be written whole, by this log and those made from it. A service cannot stop because its log
  /// is full, but it can say so elsewhere.
  package var lostLines: Int { lost.count.load(ordering: .relaxed) }

  /// For a line that was dropped before it came here.
  package func countLostLine() { lost.count.add(1, ordering: .relaxed) }

  private func write(_ level: Level, _ event: StaticString, _ fields: () -> KeyValuePairs<LogKey, LogValue>) {
    guard level >= self.level else { return }
    var line = LogLine()
    line.add("time", .moment(clock.now()))
    line.add("level", .name(level.rawValue))
    line.add("program", .name(program.description))
    line.add("event", .text(event.description))
    line.add(context)
    for (key, value) in fields() { line.add(key.rawValue, value) }
    send(line.finished())
  }

  private func send(_ line: [UInt8]) {
    if !lost.outlet.withLock({ $0.write(line, to: descriptor) }) { lost.count.add(1, ordering: .relaxed) }
  }
}

private final class LostLines: Sendable {
  let count = Atomic(0)
  let outlet = Mutex(LogOutlet())
}

/// Where lines leave the process. Whoever reads them may stand still (a pager, a full pipe), and a write would then
/// take a thread away until they go on: after a few lines the service would stand still too, and not even end.
private struct LogOutlet {
  /// Set when a line was given up for want of room; then nobody waits until there is some.
  private var isStuck = false

  /// Long enough for a reader that is only slow. It is waited once, and not for each line.
  private static let patience: Int32 = 1_000

  /// One call for the whole line, so that lines of several threads and processes do not mix. A pipe that has room has
  /// room for a line, see `LogLine.longest`; under the lock no other thread of ours takes it away in between.
  mutating func write(_ line: [UInt8], to descriptor: Int32) -> Bool {
    guard hasRoom(descriptor) else { return false }
    while true {
      let written = unsafe line.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written == line.count { return true }
      if written >= 0 || errno != EINTR { return false }
    }
  }

  private mutating func hasRoom(_ descriptor: Int32) -> Bool {
    // poll passes over it as if it were never ready.
    guard descriptor >= 0 else { return true }
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    while true {
      let ready = unsafe poll(&entry, 1, isStuck ? 0 : Self.patience)
      if ready < 0, errno == EINTR { continue }
      // An error is for the write to meet.
      isStuck = ready == 0
      return !isStuck
    }
  }
}

extension Log {
  /// How a process lets its operator choose what is written.
  package static let levelSetting = Setting<Level>.oneOf(
    .logLevel, .value(.info), reason: "How serious an event must be to be logged.")
}
