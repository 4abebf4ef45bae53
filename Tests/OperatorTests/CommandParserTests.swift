// The command line, as a plain function: what is understood, what is refused, and what is then advised.

import ServiceRuntime
import Testing

@testable import Operator

@Suite struct CommandParserTests {
  private static let size = Option.oneOf("size", ["1", "2"], fallback: "1", reason: "Test.")
  private static let place = Option(
    name: "place", placeholder: "PLACE", fallback: nil, reason: "Test.", objection: { _ in nil })

  private static func command(_ group: String, _ name: String, _ operands: [String], _ options: [Option]) -> Command {
    Command(
      group: group, name: name, summary: "Does \(name).", details: ["About \(name)."],
      operands: operands.map { Operand(placeholder: $0, reason: "Test.") }, options: options,
      examples: ["tool \(group) \(name)"],
      run: { _ in Report(text: "", json: "") })
  }

  private static let table = CommandTable(
    program: "tool", purpose: "Tests.",
    groups: [
      CommandGroup(name: "keys", summary: "About keys."), CommandGroup(name: "audit", summary: "About the audit."),
    ],
    commands: [
      command("keys", "list", [], [size, place]), command("keys", "show", ["KEY"], [place]),
      command("audit", "list", [], []),
    ])

  private func parse(_ line: String) throws(CommandFailure) -> CommandRequest {
    try CommandParser(Self.table).parse(line.split(separator: " ").map(String.init))
  }

  private func invocation(_ line: String) throws -> (words: String, Invocation)? {
    guard case .run(let command, let invocation) = try parse(line) else { return nil }
    return (command.words, invocation)
  }

  private func shown(_ line: String) throws -> String? {
    guard case .show(let text) = try parse(line) else { return nil }
    return text
  }

  private func refusal(_ line: String) -> String? {
    do throws(CommandFailure) {
      _ = try parse(line)
      return nil
    } catch {
      guard case .wrongUsage(let sentence, _) = error else { return nil }
      return sentence
    }
  }

  @Test("A command is found by its words, and its options in either spelling, anywhere behind them")
  func understood() throws {
    let wanted = Invocation(options: ["size": "2", "place": "x"], json: true)
    for line in ["keys list --size 2 --place x --json", "--json keys list --place=x --size=2"] {
      let (words, invocation) = try #require(try invocation(line))
      #expect(words == "keys list")
      #expect(invocation == wanted)
    }
    let (other, empty) = try #require(try invocation("audit list"))
    #expect(other == "audit list" && empty == Invocation())
  }

  @Test("An option that is not given has its default")
  func defaults() throws {
    let (_, invocation) = try #require(try invocation("keys list"))
    #expect(invocation[Self.size] == "1")
    #expect(invocation[Self.place] == nil)
  }

  @Test("Operands may stand before and behind options, and behind -- even look like one")
  func operands() throws {
    #expect(try invocation("keys show a --place b")?.1.operands == ["a"])
    #expect(try invocation("keys show --place b a")?.1.operands == ["a"])
    #expect(try invocation("keys show --place b -- --a")?.1.operands == ["--a"])
    #expect(try invocation("keys show -- --json")?.1 == Invocation(operands: ["--json"]))
    #expect(try invocation("keys show -")?.1.operands == ["-"])
    #expect(try invocation("keys show a --place=--json")?.1.options == ["place": "--json"])
  }

  @Test(
    "What the table does not name is refused with the name that was meant",
    arguments: [
      ("key list", "`key` is not a command. Did you mean keys?"),
      ("keys lsit", "`lsit` is not a command of keys. Did you mean list?"),
      ("keys delete", "`delete` is not a command of keys."),
      ("audit show x", "`show` is not a command of audit."),
      ("keys list --siz 2", "`--siz` is not an option of keys list. Did you mean --size?"),
      ("keys list --jsno", "`--jsno` is not an option of keys list. Did you mean --json?"),
      ("--josn keys list", "`--josn` is not an option here. Did you mean --json?"),
      ("keys list -v", "`-v` is not an option of keys list."),
      ("audit list --size 1", "`--size` is not an option of audit list."),
    ])
  func unknown(line: String, sentence: String) { #expect(refusal(line) == sentence) }

  @Test(
    "What is missing, too much, twice or not allowed is refused by name",
    arguments: [
      ("", "no command was given."), ("keys", "keys needs a command."), ("keys --json", "keys needs a command."),
      ("keys show", "KEY is missing."), ("keys show a b", "`b` is one argument too many."),
      ("keys list a", "`a` is one argument too many."),
      ("keys list --size", "--size needs a value: 1|2."), ("keys list --size=", "--size needs a value: 1|2."),
      ("keys list --place --json", "--place needs a value: PLACE."),
      ("keys list --size 1 --size 1", "--size is given twice."),
      ("keys list --size 3", "--size is `3`; it must be one of 1, 2."),
    ])
  func wrong(line: String, sentence: String) { #expect(refusal(line) == sentence) }

  @Test("An empty operand and a pattern that matched too much are refused")
  func oddArguments() {
    let parser = CommandParser(Self.table)
    #expect(throws: CommandFailure.self) { try parser.parse(["keys", "show", ""]) }
    #expect(throws: CommandFailure.self) {
      try parser.parse(["keys", "show"] + [String](repeating: "x", count: CommandParser.mostArguments))
    }
  }

  @Test("Help is there on every level and for every command, whatever else stands in the line")
  func help() throws {
    for line in ["--help", "-h", "--json --help"] {
      let text = try #require(try shown(line))
      #expect(text.contains("Does show.") && text.contains("Exit codes") && text.contains("keys list"))
    }
    let group = try #require(try shown("keys --help"))
    #expect(group.contains("About keys.") && !group.contains("audit"))
    for line in ["keys show --help", "--help keys show", "keys show --place --bad a b c -h"] {
      let text = try #require(try shown(line))
      #expect(text.contains("Usage: tool keys show KEY [--place PLACE] [--json]"))
      #expect(text.contains("About show."))
    }
    #expect(refusal("nothing --help") == "`nothing` is not a command.")
  }

  @Test("The version is one line")
  func version() throws {
    #expect(try shown("--version") == "tool \(ProductVersion.current)\n")
    #expect(try shown("--json --version") == "tool \(ProductVersion.current)\n")
  }

  @Test("Every real command explains itself, within the page")
  func realCommands() throws {
    #expect(!Operator.table.commands.isEmpty)
    for command in Operator.table.commands {
      #expect(Operator.table.groups.contains { $0.name == command.group })
      let text = CommandHelp(Operator.table).of(command)
      #expect(text.split(separator: "\n").allSatisfy { $0.count <= 110 })
      #expect(!command.details.isEmpty && !command.examples.isEmpty)
      for example in command.examples {
        let words = example.split(separator: " ").dropFirst().map(String.init)
        guard case .run(let meant, _) = try CommandParser(Operator.table).parse(words) else {
          Issue.record("the example does not run: \(example)")
          continue
        }
        #expect(meant.words == command.words)
      }
    }
  }
}
