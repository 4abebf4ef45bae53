// `mandate keys list`: every pair of a folder, and whatever is wrong with it.

import ServiceRuntime

enum KeysList {
  static let command = Command(
    group: "keys", name: "list", summary: "Show every pair of a folder and what is wrong with it.",
    details: [
      "Private halves are not read: that one is there is told by its name, and who could use it by its mode. Where "
        + "public halves alone were checked out, `absent` is as it should be.",
      "Ends with 1 if anything is wrong: a private half that others can use, a public half that is damaged or named "
        + "after another key, half a pair, or what an interrupted run left.",
    ],
    options: [KeysCommands.folder], examples: ["mandate keys list", "mandate keys list --json"],
    run: { invocation async throws(CommandFailure) in try run(invocation) })

  private struct Answer: Encodable {
    let pairs: [KeyReport]
    let problems: [String]
  }

  private static func run(_ invocation: Invocation) throws(CommandFailure) -> Report {
    let inventory = try KeysCommands.inventory(invocation)
    let answer = Answer(pairs: inventory.pairs.map(KeyReport.init), problems: inventory.problems)
    return Report(
      text: text(answer, KeysCommands.path(invocation)), json: JSONText.of(answer), isClean: inventory.isClean)
  }

  private static func text(_ answer: Answer, _ path: String) -> String {
    var table = TextTable(headings: ["KEY ID", "NAME", "BITS", "CREATED", "PRIVATE HALF"])
    for pair in answer.pairs {
      table.add([
        pair.keyId ?? "unknown", pair.name ?? "", pair.bits.map { String($0) } ?? "?", pair.created ?? "unknown",
        pair.privateHalf.rawValue + (pair.problems.isEmpty ? "" : " (see below)"),
      ])
    }
    let problems = (answer.problems + answer.pairs.flatMap(\.problems)).map { "problem: \($0)\n" }
    let nothing =
      "There is no pair in \(Printable.name(path)) yet: mandate keys generate --folder \(Printable.word(path))\n"
    let head = table.isEmpty ? nothing : table.text
    return head + (problems.isEmpty ? "" : "\n" + problems.joined())
  }
}
