// The private halves of a folder, as far as anybody may look: that they exist, and who could use them. None is opened.

import ServiceRuntime

struct HiddenHalves: Sendable {
  /// Whether a private half is here says nothing bad: a checkout or an issuer's machine has public halves alone.
  enum Presence: String, Sendable, Encodable { case present, absent, unknown }

  /// Nil where the folder could not be looked into.
  private var files: [String: FileStatus]?
  /// What is wrong with the folder itself.
  private(set) var problem: String?
  private let path: String

  init(below open: borrowing Folder) {
    let path = open.path(of: KeyFolder.privateName)
    self.path = path
    do {
      let hidden = try open.subfolder(opening: KeyFolder.privateName)
      files = try Self.look(into: hidden)
      problem = try hidden.status().hiddenFolderProblem.map { "\(Printable.name(path)) \($0.sentence)" }
    } catch {
      let isMissing = error == .missing
      files = isMissing ? [:] : nil
      problem = isMissing ? nil : "\(Printable.name(path)) \(error.sentence)"
    }
  }

  private static func look(into hidden: borrowing Folder) throws(FileProblem) -> [String: FileStatus] {
    var files: [String: FileStatus] = [:]
    for name in try hidden.entries() { files[name] = hidden.status(of: name) }
    return files
  }

  func presence(of name: String) -> Presence {
    guard let files else { return .unknown }
    return files[name] == nil ? .absent : .present
  }

  func path(of name: String) -> String { path + "/" + name }

  /// What is wrong with the file, by kind and mode alone.
  func problem(of name: String) -> String? {
    guard let status = files?[name] else { return nil }
    let problem: FileProblem? =
      switch status.kind {
      case .regular: status.secrecyProblem
      case .link: .link
      case .folder, .other: .notRegular
      }
    return problem.map { "\(Printable.name(path(of: name))) \($0.sentence)" }
  }

  /// Names that look like keys, and those of parts.
  var names: [String] { (files ?? [:]).keys.sorted() }
}
