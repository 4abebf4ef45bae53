// What a command is: its words, what it takes, and what it does. The table of all commands is what parsing, help and
// suggestions are made from.

import ServiceRuntime

struct CommandTable: Sendable {
  let program: String
  let purpose: String
  let groups: [CommandGroup]
  let commands: [Command]
}

/// The first word of commands that belong together.
struct CommandGroup: Sendable {
  let name: String
  let summary: String
}

struct Command: Sendable {
  let group: String
  let name: String
  /// One line for lists.
  let summary: String
  /// What somebody needs to know before running it; wrapped by help.
  let details: [String]
  var operands: [Operand] = []
  var options: [Option] = []
  let examples: [String]
  let run: @Sendable (Invocation) async throws(CommandFailure) -> Report

  var words: String { "\(group) \(name)" }
}

/// A word that stands without a name. All are required.
struct Operand: Sendable {
  let placeholder: String
  let reason: String
}

/// `--name VALUE`.
struct Option: Sendable {
  let name: String
  let placeholder: String
  let fallback: String?
  let reason: String
  /// Nil if the value will do, else what is allowed, as the end of a sentence.
  let objection: @Sendable (String) -> String?

  var flag: String { "--\(name)" }

  static func oneOf(_ name: String, _ choices: [String], fallback: String, reason: String) -> Option {
    Option(name: name, placeholder: choices.joined(separator: "|"), fallback: fallback, reason: reason) { value in
      choices.contains(value) ? nil : "one of " + choices.joined(separator: ", ")
    }
  }
}

/// A command line that was understood: every operand is there, every option has a value that will do or none.
struct Invocation: Sendable, Equatable {
  var operands: [String] = []
  var options: [String: String] = [:]
  var json = false
  /// What the environment says; read after the command line was understood, and before the command runs.
  var settings = OperatorSettings.none

  /// The value given, else the default.
  subscript(_ option: Option) -> String? { options[option.name] ?? option.fallback }
}

/// What a command has to say, in both forms.
struct Report: Sendable {
  let text: String
  let json: String
  /// False when it did its work and found something that is not as it should be.
  var isClean = true
}

/// Why a command was not done, for the operator: one sentence that says what to do.
enum CommandFailure: Error, Equatable, Sendable {
  case refused(String)
  /// `help` says where the right usage is written.
  case wrongUsage(String, help: String?)

  var sentence: String {
    switch self {
    case .refused(let sentence), .wrongUsage(let sentence, _): sentence
    }
  }

  var help: String? {
    if case .wrongUsage(_, let help) = self { help } else { nil }
  }

  var exitCode: Operator.ExitCode {
    switch self {
    case .refused: .failed
    case .wrongUsage: .wrongUsage
    }
  }
}
