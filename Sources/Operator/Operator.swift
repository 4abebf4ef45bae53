// The operator's command: hardens the process, finds the command that was meant, runs it, and turns its outcome into
// text or JSON and an exit code.

import Cryptography
import ServiceRuntime

package enum Operator {
  /// What scripts rely on.
  package enum ExitCode: Int32, Sendable {
    case done = 0
    /// Refused, failed, or found something that is not as it should be.
    case failed = 1
    /// The command line or the environment cannot be understood; nothing was tried.
    case wrongUsage = 2
  }

  static let table = CommandTable(
    program: "mandate",
    purpose: "Operates Mandate: its database, its audit, its grants, and the keys of its services.",
    groups: [
      DatabaseCommands.group, AuditCommands.group, GrantCommands.group, UserCommands.group, KeysCommands.group,
    ],
    commands: DatabaseCommands.all + AuditCommands.all + GrantCommands.all + UserCommands.all + KeysCommands.all)

  package static func main() async -> Never {
    let code = await run(Array(CommandLine.arguments.dropFirst()))
    StandardStream.exit(code.rawValue)
  }

  private static func run(_ arguments: [String]) async -> ExitCode {
    let wantsJSON = CommandParser.wantsJSON(arguments)
    do throws(CommandFailure) {
      try start { () throws(ProcessStart.Failure) in try ProcessStart.harden() }
      return try await perform(CommandParser(table).parse(arguments))
    } catch {
      return tell(error, json: wantsJSON)
    }
  }

  private static func start(_ body: () throws(ProcessStart.Failure) -> Void) throws(CommandFailure) {
    do { try body() } catch { throw .refused(error.sentence) }
  }

  private static func perform(_ request: CommandRequest) async throws(CommandFailure) -> ExitCode {
    switch request {
    case .show(let text):
      try write(text)
      return .done
    case .run(let command, var invocation):
      try lockMemory()
      invocation.settings = try OperatorSettings.read()
      let report = try await command.run(invocation)
      try write(invocation.json ? report.json : report.text)
      return report.isClean ? .done : .failed
    }
  }

  /// OpenSSL's part first and small: where the limit is low, our arena takes what is left, but not the other way round.
  /// And before the environment, which may hold a secret even if no command wants it.
  private static func lockMemory() throws(CommandFailure) {
    do {
      try Cryptography.prepare(secureHeapBytes: secureHeapBytes)
    } catch {
      throw .refused("\(error).")
    }
    try start { () throws(ProcessStart.Failure) in try ProcessStart.requireLockedMemory() }
  }

  /// Commands make one pair at a time, and one of 4096 bits is made in half of this.
  private static let secureHeapBytes = 1 << 17

  private static func write(_ text: String) throws(CommandFailure) {
    do {
      try StandardStream.output.write(text)
    } catch {
      throw .refused("standard output cannot be written: \(error.words).")
    }
  }

  private static func tell(_ failure: CommandFailure, json: Bool) -> ExitCode {
    let text = json ? JSONText.of(["error": failure.sentence]) : "mandate: \(failure.sentence)\n"
    do {
      try StandardStream.error.write(text)
      if !json, let help = failure.help { try StandardStream.error.write("\(help)\n") }
    } catch {
      // Nobody is left who could be told; the exit code still says it.
    }
    return failure.exitCode
  }
}
