// Files that no kind checks but that can be called by their name, so that a reader knows what was left out.

import Contracts
import ServiceRuntime

enum KnownByName {
  /// The files of the seeds' reference whose rules come with later steps, by the code that they were made with.
  private static let later: [(name: String, reference: String)] = [
    ("planner-parse", "planner/parser.ts"),
    ("planner-prompts", "planner/system-prompt.ts"),
    ("persona-ratings", "runner/claude-session.ts"),
    ("iteration-actor", "db/iteration-writer.ts"),
  ]

  static func laterStep(_ content: VectorContent) -> String? {
    guard let file = SeedsFile(content) else { return nil }
    return later.first { file.reference.contains($0.reference) }?.name
  }

  /// Project Wycheproof has a file for many an algorithm that we do not use.
  static func published(_ content: VectorContent) -> String? {
    guard let file = WycheproofFile.Head(content) else { return nil }
    return "wycheproof " + Printable.name(file.algorithm)
  }

  /// A JSON Schema describes vectors and is none.
  static func isSchema(_ content: VectorContent) -> Bool {
    guard case .json(let json) = content, let schema = json["$schema"]?.text else { return false }
    return schema.contains("json-schema.org/")
  }
}
