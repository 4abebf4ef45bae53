// Help on every level, made from the table of commands.

import ServiceRuntime

struct CommandHelp {
  private let table: CommandTable

  init(_ table: CommandTable) { self.table = table }

  var ofProgram: String {
    var groups = TextTable(headings: ["COMMANDS", ""], indent: 2)
    for group in table.groups {
      for command in table.commands where command.group == group.name { groups.add([command.words, command.summary]) }
    }
    var flags = TextTable(headings: ["EVERYWHERE", ""], indent: 2)
    flags.add(["--help", "What a command does and takes; also `\(table.program) keys --help`."])
    flags.add(["--json", "Answer in JSON, errors included."])
    flags.add(["--version", "The version of this program."])
    return """
      \(table.purpose)

      Usage: \(table.program) COMMAND [OPTIONS]

      \(groups.text)
      \(flags.text)
      Exit codes: 0 done, 1 refused, failed or found a problem, 2 wrong usage.

      \(SettingsHelp.text(OperatorSettings.documentation))
      """
  }

  func of(_ group: CommandGroup) -> String {
    var commands = TextTable(headings: ["COMMANDS", ""], indent: 2)
    for command in table.commands where command.group == group.name { commands.add([command.name, command.summary]) }
    return """
      \(group.summary)

      Usage: \(table.program) \(group.name) COMMAND [OPTIONS]

      \(commands.text)
      `\(table.program) \(group.name) COMMAND --help` explains each.

      """
  }

  func of(_ command: Command) -> String {
    let details = command.details.map { TextTable.wrap($0, to: TextTable.pageWidth).joined(separator: "\n") }
    var taken = TextTable(headings: ["TAKES", "DEFAULT", ""], indent: 2)
    for operand in command.operands { taken.add([operand.placeholder, "", operand.reason]) }
    for option in command.options {
      taken.add(["\(option.flag) \(option.placeholder)", option.fallback ?? "", option.reason])
    }
    taken.add(["--json", "", "Answer in JSON, errors included."])
    let examples = command.examples.map { "  \($0)\n" }.joined()
    return """
      \(command.summary)

      Usage: \(usage(of: command))

      \(details.joined(separator: "\n\n"))

      \(taken.text)
      Examples:
      \(examples)
      """
  }

  func usage(of command: Command) -> String {
    let operands = command.operands.map { " \($0.placeholder)" }.joined()
    let options = command.options.map { " [\($0.flag) \($0.placeholder)]" }.joined()
    return "\(table.program) \(command.words)\(operands)\(options) [--json]"
  }
}
