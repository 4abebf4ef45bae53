// Where the command writes: results to one stream, everything else to the other.

import ServiceRuntime

package struct Console: Sendable {
  let out: @Sendable (String) -> Void
  let err: @Sendable (String) -> Void
  /// True when somebody watches `err`; a progress line in a log file helps nobody.
  let isWatched: Bool

  package static var standard: Console {
    Console(
      out: { write($0, to: .output) }, err: { write($0, to: .error) }, isWatched: StandardStream.error.isTerminal)
  }

  /// A report that nobody gets is a failure, whatever was in it.
  private static func write(_ text: String, to stream: StandardStream) {
    do { try stream.write(text) } catch { StandardStream.exit(ExitCode.failed.rawValue) }
  }
}
