// Standard output and standard error, for commands. A failed write is an error: `mandate … > /dev/full` did not work.

import Glibc

package enum StandardStream: Sendable {
  case output
  case error

  private var number: Int32 { self == .output ? STDOUT_FILENO : STDERR_FILENO }

  /// True where a person reads along, who may like to see progress.
  package var isTerminal: Bool { isatty(number) == 1 }

  package func write(_ text: String) throws(SystemFailure) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) }
      if written > 0 {
        rest = rest.dropFirst(written)
      } else if errno != EINTR {
        throw .last
      }
    }
  }

  /// Ends the process at once.
  package static func exit(_ code: Int32) -> Never { Glibc.exit(code) }

  /// The same while a thread of ours may still be at work. Libraries are not told, because they would take down what
  /// that thread is using.
  package static func exitAmidWork(_ code: Int32) -> Never { _exit(code) }
}
