// From the words of a command line to a request, as a plain function of the table. The toolchain brings no parser of
// arguments; this one is closed: what the table does not name is refused, and nothing is guessed.

import ServiceRuntime

enum CommandRequest: Sendable {
  /// Help or the version: print it and be done.
  case show(String)
  case run(Command, Invocation)
}

struct CommandParser {
  private let table: CommandTable
  private let help: CommandHelp

  /// More than any command takes; beyond it somebody's shell pattern matched too much.
  static let mostArguments = 100

  private static let everywhere = ["--json", "--help", "-h", "--version"]

  init(_ table: CommandTable) { (self.table, help) = (table, CommandHelp(table)) }

  /// Decided before anything else, so that even a wrong command line is answered in the form that was asked for.
  static func wantsJSON(_ arguments: [String]) -> Bool { arguments.prefix { $0 != "--" }.contains("--json") }

  func parse(_ arguments: [String]) throws(CommandFailure) -> CommandRequest {
    guard arguments.count <= Self.mostArguments else {
      throw .wrongUsage("more than \(Self.mostArguments) arguments; was a pattern expanded?", help: nil)
    }
    let words = arguments.prefix { !$0.hasPrefix("-") }
    // Flags that every level has may stand before the command as well.
    let leading = arguments.prefix { Self.everywhere.contains($0) }
    let rest = arguments.dropFirst(leading.count)
    if leading.contains("--version") || (words.isEmpty && arguments.contains("--version")) {
      return .show("\(table.program) \(ProductVersion.current)\n")
    }
    let wantsHelp = arguments.prefix { $0 != "--" }.contains { $0 == "--help" || $0 == "-h" }
    guard let first = rest.first else {
      if wantsHelp { return .show(help.ofProgram) }
      throw .wrongUsage("no command was given.", help: help.ofProgram)
    }
    let group = try group(first)
    guard let second = rest.dropFirst().first, !second.hasPrefix("-") else {
      if wantsHelp { return .show(help.of(group)) }
      throw .wrongUsage("\(group.name) needs a command.", help: help.of(group))
    }
    let command = try command(second, in: group)
    if wantsHelp { return .show(help.of(command)) }
    var invocation = try Invocation(Array(rest.dropFirst(2)), of: command, help: help)
    invocation.json = Self.wantsJSON(arguments)
    return .run(command, invocation)
  }

  private func group(_ word: String) throws(CommandFailure) -> CommandGroup {
    if let group = table.groups.first(where: { $0.name == word }) { return group }
    let (kind, known) =
      word.hasPrefix("-") ? ("an option here", Self.everywhere) : ("a command", table.groups.map(\.name))
    throw .wrongUsage(unknown(word, kind, among: known), help: "Commands: \(table.program) --help")
  }

  private func command(_ word: String, in group: CommandGroup) throws(CommandFailure) -> Command {
    let commands = table.commands.filter { $0.group == group.name }
    if let command = commands.first(where: { $0.name == word }) { return command }
    throw .wrongUsage(
      unknown(word, "a command of \(group.name)", among: commands.map(\.name)),
      help: "Commands: \(table.program) \(group.name) --help")
  }
}

extension Invocation {
  /// What stands behind the command's own words.
  fileprivate init(_ arguments: [String], of command: Command, help: CommandHelp) throws(CommandFailure) {
    let usage = "Usage: \(help.usage(of: command))"
    var rest = arguments[...]
    var onlyOperands = false
    while let argument = rest.popFirst() {
      if onlyOperands || !argument.hasPrefix("-") || argument == "-" {
        operands.append(argument)
      } else if argument == "--" {
        onlyOperands = true
      } else if argument != "--json" {
        try take(argument, &rest, of: command, usage: usage)
      }
    }
    let wanted = command.operands
    if operands.count < wanted.count {
      throw .wrongUsage("\(wanted[operands.count].placeholder) is missing.", help: usage)
    }
    if operands.count > wanted.count {
      throw .wrongUsage("\(Printable.value(operands[wanted.count])) is one argument too many.", help: usage)
    }
    if let empty = operands.firstIndex(of: "") {
      throw .wrongUsage("\(wanted[empty].placeholder) is empty.", help: usage)
    }
  }

  private mutating func take(
    _ argument: String, _ rest: inout ArraySlice<String>, of command: Command, usage: String
  ) throws(CommandFailure) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let option = command.options.first(where: { $0.flag == parts[0] }) else {
      let known = command.options.map(\.flag) + ["--json", "--help"]
      throw .wrongUsage(unknown(parts[0], "an option of \(command.words)", among: known), help: usage)
    }
    guard options[option.name] == nil else { throw .wrongUsage("\(option.flag) is given twice.", help: usage) }
    // A value that looks like an option was forgotten; one that really looks so can be given as --name=value.
    let next = rest.first.flatMap { $0.hasPrefix("--") ? nil : $0 }
    if parts.count == 1, next != nil { rest.removeFirst() }
    guard let value = parts.count == 2 ? parts[1] : next, !value.isEmpty else {
      throw .wrongUsage("\(option.flag) needs a value: \(option.placeholder).", help: usage)
    }
    if let allowed = option.objection(value) {
      throw .wrongUsage("\(option.flag) is \(Printable.value(value)); it must be \(allowed).", help: usage)
    }
    options[option.name] = value
  }
}

private func unknown(_ word: String, _ kind: String, among known: [String]) -> String {
  let advice = Nearest.to(word, among: known).map { " Did you mean \($0)?" } ?? ""
  return "\(Printable.value(word)) is not \(kind).\(advice)"
}
