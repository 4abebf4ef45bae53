// `mandate keys show`: one public half in every form that somebody may need.

import Cryptography
import Grants
import ServiceRuntime

enum KeysShow {
  static let command = Command(
    group: "keys", name: "show", summary: "Show one pair: id, fingerprint, PEM and JWK of its public half.",
    details: [
      "The key is named by its id, by the name it was given, or by the path of its public file. A path into a folder "
        + "called `private` is refused: no command reads a private half."
    ],
    operands: [Operand(placeholder: "KEYID|NAME|PATH", reason: "Which key.")],
    options: [KeysCommands.folder],
    examples: [
      "mandate keys show resolver-2026", "mandate keys show 0123456789abcdef0123456789abcdef --json",
      "mandate keys show /etc/mandate/keys/2026-03-01.0123456789abcdef0123456789abcdef.pem",
    ],
    run: { invocation async throws(CommandFailure) in try run(invocation) })

  private struct Answer: Encodable {
    let pair: KeyReport
    let pem: String
    let jwk: PublicJWK
  }

  private static func run(_ invocation: Invocation) throws(CommandFailure) -> Report {
    let wanted = invocation.operands[0]
    let isPath = wanted.contains("/") || wanted.hasSuffix(KeyFileName.suffix)
    let pair = isPath ? try self.pair(at: wanted) : try self.pair(wanted, invocation)
    guard let key = pair.key else { throw .refused(pair.problems.joined(separator: " ")) }
    let answer = Answer(pair: KeyReport(pair), pem: key.pem(), jwk: PublicJWK(key))
    return Report(text: text(answer), json: JSONText.of(answer), isClean: pair.problems.isEmpty)
  }

  private static func text(_ answer: Answer) -> String {
    let problems = answer.pair.problems.map { "problem: \($0)\n" }.joined()
    return "\(answer.pair.facts)\n\(answer.pem)\n\(JSONText.of(answer.jwk))" + (problems.isEmpty ? "" : "\n\(problems)")
  }

  private static func pair(_ wanted: String, _ invocation: Invocation) throws(CommandFailure) -> KeyPair {
    let pairs = try KeysCommands.inventory(invocation).pairs
    let matches = pairs.filter { $0.keyId == wanted || $0.fileName?.name == wanted }
    let shown = Printable.value(wanted)
    let folder = Printable.name(KeysCommands.path(invocation))
    if matches.count > 1 {
      let paths = matches.compactMap { $0.publicPath ?? $0.privatePath }.map(Printable.name)
      throw .refused("\(shown) names \(matches.count) keys; give the path of one: \(paths.joined(separator: ", "))")
    }
    guard let match = matches.first else {
      let known = pairs.flatMap { [$0.keyId, $0.fileName?.name] }.compactMap(\.self)
      let list = "see what is there: mandate keys list --folder \(Printable.word(KeysCommands.path(invocation)))"
      let advice = Nearest.to(wanted, among: known).map { "did you mean \($0)?" } ?? list
      throw .refused("\(shown) is no key in \(folder); \(advice)")
    }
    return match
  }

  private static func pair(at path: String) throws(CommandFailure) -> KeyPair {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard let name = parts.last.map(String.init), !["", ".", ".."].contains(name) else {
      throw .refused("\(Printable.name(path)) is not the path of a file.")
    }
    let parent = parts.count == 1 ? "." : parts.dropLast().joined(separator: "/")
    let folderPath = parent.isEmpty ? "/" : parent
    let folder = try about(folderPath) { () throws(FileProblem) in try Folder(opening: folderPath) }
    guard !folder.absolutePath.hasSuffix("/" + KeyFolder.privateName) else {
      throw .refused("\(Printable.name(path)) is a private half, which no command reads; name the public one.")
    }
    return KeyPair(name, in: folder, HiddenHalves(below: folder))
  }
}
