// The commands that deal with key files, and what they share.

import ServiceRuntime

enum KeysCommands {
  static let group = CommandGroup(name: "keys", summary: "Make, list and show the resolver's RSA pairs.")
  static let all = [KeysGenerate.command, KeysList.command, KeysShow.command]

  static let folder = Option(
    name: "folder", placeholder: "FOLDER", fallback: "keys", reason: "Where the pairs lie."
  ) { $0.utf8.count <= 4000 ? nil : "a path of at most 4000 bytes" }

  /// The path as it was given, or the default.
  static func path(_ invocation: Invocation) -> String {
    guard let path = invocation[folder] else { preconditionFailure("--folder has a default") }
    return path
  }

  /// Looked at under the lock, so that a pair that is being written is never seen in parts.
  static func inventory(_ invocation: Invocation) throws(CommandFailure) -> KeyInventory {
    let path = path(invocation)
    let folder = try open(path)
    try about(path) { () throws(FileProblem) in try folder.lock() }
    return try KeyInventory(folder)
  }

  private static func open(_ path: String) throws(CommandFailure) -> Folder {
    do {
      return try Folder(opening: path)
    } catch .missing {
      let shown = Printable.name(path)
      throw .refused(
        "\(shown) does not exist; make a pair there: mandate keys generate --folder \(Printable.word(path))")
    } catch {
      throw .refused("\(Printable.name(path)) \(error.sentence)")
    }
  }
}
