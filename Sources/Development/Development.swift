// `mandate-dev`: what developers and demos need, in an executable of its own so that no stand-in ships in a service.

import Cryptography
import Glibc
import ServiceRuntime

package enum Development {
  private static let usage = """
    usage: mandate-dev demo --keys FOLDER

    For developers and demos. Every key it makes or uses is thrown away; nothing here belongs on a server.

      demo --keys FOLDER   seals records, grants two of them, opens those, and tries every way to get more.
                           FOLDER is what `mandate keys generate --folder FOLDER` made. Exit code 1 on any surprise.

      --help               this text
    """

  /// Runs one command and ends the process with its exit code: 0 done, 1 refused or failed, 2 wrong usage.
  package static func main() -> Never {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case nil: wrongUsage("a command is missing")
    case "--help", "-h", "help":
      print(usage)
      exit(0)
    case "demo":
      guard arguments.count == 3, arguments[1] == "--keys" else { wrongUsage("demo needs --keys FOLDER") }
      exit(run { try Demo.run(keyFolder: arguments[2]) })
    case let other?: wrongUsage("there is no command \(other)")
    }
  }

  private static func run(_ command: () throws -> Bool) -> Int32 {
    do {
      try ProcessStart.harden()
      try Cryptography.prepare()
      return try command() ? 0 : 1
    } catch {
      complain("mandate-dev: \(error)")
      return 1
    }
  }

  private static func wrongUsage(_ why: String) -> Never {
    complain("mandate-dev: \(why)\n\n" + usage)
    exit(2)
  }

  private static func complain(_ sentence: String) {
    // Where standard error is closed there is nobody left to tell; the exit code still says it.
    _ = Result { () throws(SystemFailure) in try StandardStream.error.write(sentence + "\n") }
  }
}
