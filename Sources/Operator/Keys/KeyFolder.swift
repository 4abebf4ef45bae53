// A folder of pairs, open for writing: public halves in it, private halves in `private/` below it. It is opened only
// where nobody else could exchange or read what is written.

import ServiceRuntime

struct KeyFolder: ~Copyable, Sendable {
  static let privateName = "private"

  let open: Folder
  let hidden: Folder

  /// Both folders are made where they are missing; one that is there already must be safe to use.
  init(making path: String) throws(CommandFailure) {
    let open = try about(path) { () throws(FileProblem) in try Folder.make(path) }
    try Self.check(open) { $0.openFolderProblem }
    let hidden = try about(open.path(of: Self.privateName)) { () throws(FileProblem) in
      try open.privateSubfolder(making: Self.privateName)
    }
    try Self.check(hidden) { $0.hiddenFolderProblem }
    self.open = open
    self.hidden = hidden
  }

  private static func check(
    _ folder: borrowing Folder, _ judge: (FileStatus) -> FileProblem?
  ) throws(CommandFailure) {
    try about(folder.path) { () throws(FileProblem) in
      if let problem = judge(try folder.status()) { throw problem }
    }
  }

  /// Keeps others that generate out while `body` runs. Making the key itself needs no lock.
  func locked<Value>(_ body: () throws(CommandFailure) -> Value) throws(CommandFailure) -> Value {
    try about(open.path) { () throws(FileProblem) in try open.lock() }
    defer { open.unlock() }
    return try body()
  }

  /// The pair that has this name already, whole or half.
  func pair(named name: String?) throws(CommandFailure) -> KeyFileName? {
    guard let name else { return nil }
    let files = try about(open.path) { () throws(FileProblem) in try open.entries() + hidden.entries() }
    return files.compactMap { KeyFileName($0) }.first { $0.name == name }
  }
}

extension FileStatus {
  /// Whoever can change the folder can exchange a public key, and read what is sealed for the new one.
  var openFolderProblem: FileProblem? { mode & 0o002 != 0 ? .writableByOthers(mode: octalMode) : ownerProblem }

  var hiddenFolderProblem: FileProblem? { secrecyProblem ?? ownerProblem }

  private var ownerProblem: FileProblem? {
    owner == ProcessStart.user || owner == 0 || ProcessStart.user == 0 ? nil : .foreign(owner: owner)
  }
}

/// Runs `body`, and says of which path it was when it fails.
func about<Value: ~Copyable>(
  _ path: String, _ body: () throws(FileProblem) -> Value
) throws(CommandFailure) -> Value {
  do {
    return try body()
  } catch {
    throw .refused("\(Printable.name(path)) \(error.sentence)")
  }
}
