// `mandate-dev`: what developers and demos need, in an executable of its own so that no stand-in ships in a service.

import Contracts
import Cryptography
import Glibc
import ServiceRuntime

package enum Development {
  private static let usage = """
    usage: mandate-dev demo --keys FOLDER
           mandate-dev token --user ID [--key FOLDER] [--ttl SECONDS] [--issuer TEXT] [--audience TEXT]

    For developers and demos. Every key it makes or uses is thrown away; nothing here belongs on a server.

      demo --keys FOLDER   seals records, grants two of them, opens those, and tries every way to get more.
                           FOLDER is what `mandate keys generate --folder FOLDER` made. Exit code 1 on any surprise.

      token                prints a token for a user. FOLDER (default .mandate/dev) holds the throw-away key pair it
                           is signed with, and throw-away-jwks.json for the services that are to believe it; both are
                           made where they are missing. Default: 900 seconds, from http://localhost:3001, for mana.

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
    case "token":
      do throws(TokenCommand.WrongUsage) {
        let wish = try TokenCommand.parse(Array(arguments.dropFirst()))
        exit(
          run {
            let now = Instant(milliseconds: WallClock.system.now().microseconds / 1000)
            try StandardStream.output.write(TokenCommand.run(wish, now: now) + "\n")
            return true
          })
      } catch {
        wrongUsage(error.sentence)
      }
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
