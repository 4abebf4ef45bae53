// `mandate-dev`: what developers and demos need, in an executable of its own so that no stand-in ships in a service.

import Contracts
import Cryptography
import Glibc
import ServiceRuntime

package enum Development {
  private static let usage = """
    usage: mandate-dev auth [--listen ADDRESS] [--key FOLDER] [--password-file FILE] [--origins LIST]
                            [--ttl SECONDS] [--issuer TEXT] [--audience TEXT]
           mandate-dev token --user ID [--key FOLDER] [--ttl SECONDS] [--issuer TEXT] [--audience TEXT]
           mandate-dev seed <CHANGES

    For developers and demos. Every key it makes or uses is thrown away; nothing here belongs on a server.

      token                prints a token for a user. FOLDER (default .mandate/dev) holds the throw-away key pair it
                           is signed with, and throw-away-jwks.json for the services that are to believe it; both are
                           made where they are missing. Default: 900 seconds, from http://localhost:3001, for mana.

      auth                 serves an identity service for this machine alone: keys, login, list of spaces. Any e-mail
                           address logs in with the one password, which is made and printed, or read from FILE.
                           ADDRESS is of the loopback (default 127.0.0.1:3001; port 0 takes a free one). LIST names
                           the pages that may call, with commas; default: the usual ports of localhost. SIGHUP reads
                           the pair in FOLDER again, SIGTERM ends. The rest is as for token.

      seed                 writes changes of users' devices into the log, as the sync server does that is not ours.
                           MANDATE_DATABASE_URL is the database, the login mandate_sync. Each line of standard input
                           is {"userId","appId","tableName","recordId","op","data","fieldMeta","clientId","id"}: op is
                           insert, update or delete; data an object or null; fieldMeta an object of field to time; the
                           last three may be missing. id is a UUID; without it, it is made of the line. A change that
                           is there already is not written again, and one bad line means that none is written.

      --help               this text
    """

  /// Runs one command and ends the process with its exit code: 0 done, 1 refused or failed, 2 wrong usage.
  package static func main() async -> Never {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.contains("--help") || ["-h", "help"].contains(arguments.first) {
      print(usage)
      exit(0)
    }
    switch arguments.first {
    case nil: wrongUsage("a command is missing")
    case "seed":
      guard arguments.count == 1 else { wrongUsage("seed takes nothing but lines on standard input") }
      exit(
        await run {
          try await StandardStream.output.write(SeedCommand.run(from: .process) { readLine() })
          return true
        })
    case "auth":
      do throws(TokenCommand.WrongUsage) {
        let wish = try AuthCommand.parse(Array(arguments.dropFirst()))
        exit(await run { try await AuthCommand.run(wish) })
      } catch {
        wrongUsage(error.sentence)
      }
    case "token":
      do throws(TokenCommand.WrongUsage) {
        let wish = try TokenCommand.parse(Array(arguments.dropFirst()))
        exit(
          await run {
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

  private static func run(_ command: () async throws -> Bool) async -> Int32 {
    do {
      try ProcessStart.harden()
      try Cryptography.prepare()
      return try await command() ? 0 : 1
    } catch {
      complain("mandate-dev: \(error)")
      return 1
    }
  }

  private static func wrongUsage(_ why: String) -> Never {
    complain("mandate-dev: \(why)\n\n" + usage)
    exit(2)
  }

  static func complain(_ sentence: String) {
    // Where standard error is closed there is nobody left to tell; the exit code still says it.
    _ = Result { () throws(SystemFailure) in try StandardStream.error.write(sentence + "\n") }
  }
}
