// Where the command writes: results to one stream, everything else to the other.

import Foundation  // FileHandle: FoundationEssentials has no way to write to standard error.
import Glibc

package struct Console: Sendable {
  let out: @Sendable (String) -> Void
  let err: @Sendable (String) -> Void
  /// True when somebody watches `err`; a progress line in a log file helps nobody.
  let isWatched: Bool

  package static var standard: Console {
    Console(
      out: { FileHandle.standardOutput.write(Data($0.utf8)) },
      err: { FileHandle.standardError.write(Data($0.utf8)) },
      isWatched: isatty(STDERR_FILENO) == 1)
  }
}
