// A word to whoever waits at a terminal.

import ServiceRuntime

enum Progress {
  /// Where nobody watches, nothing is said, so that logs and pipes hold results alone.
  static func note(_ sentence: String) {
    guard StandardStream.error.isTerminal else { return }
    do {
      try StandardStream.error.write("\(sentence)\n")
    } catch {
      // The terminal is gone; the work is not.
    }
  }
}
