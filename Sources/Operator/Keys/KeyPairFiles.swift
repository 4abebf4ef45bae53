// Writes the two files of a pair so that a crash at any moment leaves nothing, or something that `list` names and the
// next `generate` repairs:
//
//   1. Both halves are written in full beside their places, as parts, and are on the disk.
//   2. The private part gets its name.
//   3. The public part gets its name. From here on the pair exists.
//   4. The parts' own names go.
//
// Whoever finds parts therefore knows what happened without reading a private file: a public part whose private half
// has its name lacks step 3 alone, which can be done for it; every other part is a left-over. Names are given by
// `link`, which never overwrites, and all of it happens under a lock that generating processes share.

import Cryptography
import Secrets
import ServiceRuntime

extension KeyFolder {
  enum Step: Int, CaseIterable, Sendable {
    case privatePart, publicPart, privateNamed, publicNamed, privatePartGone, publicPartGone
  }

  private static let publicMode: UInt32 = 0o644
  private static let privateMode: UInt32 = 0o600

  /// `reached` is called after each step; tests end the process there.
  func write(
    privateHalf secret: borrowing SecretBytes, publicHalf text: String, as name: KeyFileName,
    reached: (Step) -> Void = { _ in }
  ) throws(CommandFailure) {
    let (file, part) = (name.text, name.partText)
    let publicBytes = Array(text.utf8)
    var isPrivateNamed = false
    do throws(CommandFailure) {
      try about(hidden.path(of: file)) { () throws(FileProblem) in
        try hidden.create(part, mode: Self.privateMode, secret.bytes)
        try hidden.synchronise()
      }
      reached(.privatePart)
      try about(open.path(of: file)) { () throws(FileProblem) in
        try open.create(part, mode: Self.publicMode, publicBytes.span)
        try open.synchronise()
      }
      reached(.publicPart)
      try about(hidden.path(of: file)) { () throws(FileProblem) in try hidden.link(part, as: file) }
      isPrivateNamed = true
      try about(hidden.path(of: file)) { () throws(FileProblem) in try hidden.synchronise() }
      reached(.privateNamed)
      try about(open.path(of: file)) { () throws(FileProblem) in try open.link(part, as: file) }
    } catch {
      // There is no pair yet and nobody was told of one, so its pieces go again.
      let left = [
        remove(part, from: hidden), isPrivateNamed ? remove(file, from: hidden) : nil, remove(part, from: open),
      ].compactMap(\.self)
      throw .refused(([error.sentence] + left).joined(separator: " "))
    }
    try about(open.path(of: file)) { () throws(FileProblem) in try open.synchronise() }
    reached(.publicNamed)
    try about(hidden.path(of: part)) { () throws(FileProblem) in try hidden.remove(part) }
    reached(.privatePartGone)
    try about(open.path(of: part)) { () throws(FileProblem) in try open.remove(part) }
    reached(.publicPartGone)
  }

  /// What is to be said about a file that would not go.
  private func remove(_ name: String, from folder: borrowing Folder) -> String? {
    do {
      try folder.remove(name)
      return nil
    } catch .missing {
      return nil
    } catch {
      return "Remove \(Printable.name(folder.path(of: name))) yourself; it \(error.sentence)"
    }
  }

  /// Ends what interrupted runs began. Only under the lock: then no part belongs to a run that still lives.
  func repair() throws(CommandFailure) -> Repair {
    var repair = Repair()
    let parts = try about(open.path) { () throws(FileProblem) in try open.entries() }
    for part in parts {
      guard let name = KeyFileName(part: part) else { continue }
      if open.status(of: name.text) == nil, hidden.status(of: name.text)?.kind == .regular {
        try finish(part, as: name)
        repair.finished.append(name)
      } else {
        repair.removed.append(open.path(of: part))
      }
      try about(open.path(of: part)) { () throws(FileProblem) in try open.remove(part) }
    }
    // Last: as long as a private part is there, what happened can still be told from it.
    let privateParts = try about(hidden.path) { () throws(FileProblem) in try hidden.entries() }
    for part in privateParts where KeyFileName(part: part) != nil {
      try about(hidden.path(of: part)) { () throws(FileProblem) in try hidden.remove(part) }
      repair.removed.append(hidden.path(of: part))
    }
    return repair
  }

  private func finish(_ part: String, as name: KeyFileName) throws(CommandFailure) {
    let path = open.path(of: part)
    guard PublicKeyFile.read(part, in: open).key?.keyIdHex == name.keyId else {
      throw .refused("\(Printable.name(path)) is not the public half that its name says; find out who changed it.")
    }
    try about(path) { () throws(FileProblem) in
      try open.link(part, as: name.text)
      try open.synchronise()
    }
  }

  func publicKey(of name: KeyFileName) -> RSAPublicKey? { PublicKeyFile.read(name.text, in: open).key }
}

/// What was found of interrupted runs, and done about it.
struct Repair: Sendable, Equatable {
  /// Pairs that are whole now.
  var finished: [KeyFileName] = []
  /// Paths of left-overs that are gone.
  var removed: [String] = []
}
