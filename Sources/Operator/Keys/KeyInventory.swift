// Every pair in a folder with everything that is wrong with it. Public files are read, private ones only looked at.

import Cryptography
import Secrets
import ServiceRuntime

struct KeyInventory: Sendable {
  private(set) var pairs: [KeyPair] = []
  /// What is wrong with the folder rather than with a pair.
  private(set) var problems: [String] = []

  init(_ folder: borrowing Folder) throws(CommandFailure) {
    let names = try about(folder.path) { () throws(FileProblem) in try folder.entries() }
    let status = try about(folder.path) { () throws(FileProblem) in try folder.status() }
    if let problem = status.openFolderProblem { problems.append("\(Printable.name(folder.path)) \(problem.sentence)") }
    let hidden = HiddenHalves(below: folder)
    if let problem = hidden.problem { problems.append(problem) }
    for name in names where Self.isKeyFile(name) { pairs.append(KeyPair(name, in: folder, hidden)) }
    let publicNames = Set(names)
    for name in hidden.names where Self.isKeyFile(name) && !publicNames.contains(name) {
      pairs.append(KeyPair(hiddenOnly: name, in: folder, hidden, isInterrupted: publicNames.contains(".\(name).part")))
    }
    let parts =
      names.filter { KeyFileName(part: $0) != nil }.map { folder.path(of: $0) }
      + hidden.names.filter { KeyFileName(part: $0) != nil }.map { hidden.path(of: $0) }
    problems += parts.map {
      "\(Printable.name($0)) was left by an interrupted run; the next `mandate keys generate` ends it."
    }
  }

  private static func isKeyFile(_ name: String) -> Bool { name.hasSuffix(KeyFileName.suffix) && !name.hasPrefix(".") }

  var isClean: Bool { problems.isEmpty && pairs.allSatisfy(\.problems.isEmpty) }
}

/// One line of the list.
struct KeyPair: Sendable {
  let fileName: KeyFileName?
  /// Nil where the public half is missing or cannot be read.
  let key: RSAPublicKey?
  let publicPath: String?
  let privatePath: String?
  let privateHalf: HiddenHalves.Presence
  private(set) var problems: [String] = []

  var keyId: String? { key?.keyIdHex ?? fileName?.keyId }
  var created: String? { fileName?.date }

  init(_ name: String, in folder: borrowing Folder, _ hidden: HiddenHalves) {
    let path = folder.path(of: name)
    fileName = KeyFileName(name)
    publicPath = path
    privateHalf = hidden.presence(of: name)
    privatePath = privateHalf == .present ? hidden.path(of: name) : nil
    let read = PublicKeyFile.read(name, in: folder)
    (key, problems) = (read.key, read.problem.map { [$0] } ?? [])
    if let key, fileName?.keyId != key.keyIdHex {
      let right = KeyFileName(date: fileName?.date, name: fileName?.name, keyId: key.keyIdHex).text
      problems.append(
        "\(Printable.name(path)) holds the key \(key.keyIdHex), which its name must say; if you trust it: mv "
          + "\(Printable.word(path)) \(Printable.word(folder.path(of: right)))")
    }
    if let problem = hidden.problem(of: name) { problems.append(problem) }
  }

  /// A private half alone.
  init(hiddenOnly name: String, in folder: borrowing Folder, _ hidden: HiddenHalves, isInterrupted: Bool) {
    let path = hidden.path(of: name)
    (fileName, key, publicPath, privatePath, privateHalf) = (KeyFileName(name), nil, nil, path, .present)
    let shown = Printable.name(path)
    problems.append(
      isInterrupted
        ? "\(shown) has no public half yet: an interrupted run lacks its last step, which the next `mandate keys "
          + "generate` takes."
        : "\(shown) has no public half; make it where the private one may be read: openssl pkey -in "
          + "\(Printable.word(path)) -pubout -out \(Printable.word(folder.path(of: name)))")
    if let problem = hidden.problem(of: name) { problems.append(problem) }
  }
}

/// A public half on the disk, or the sentence that says why there is none.
enum PublicKeyFile {
  static func read(_ name: String, in folder: borrowing Folder) -> (key: RSAPublicKey?, problem: String?) {
    let path = folder.path(of: name)
    do throws(FileProblem) {
      return parse(try folder.read(name), path)
    } catch {
      return (nil, "\(Printable.name(path)) \(error.sentence)")
    }
  }

  private static func parse(_ contents: borrowing WipedBytes, _ path: String) -> (key: RSAPublicKey?, problem: String?)
  {
    let shown = Printable.name(path)
    do {
      return (try RSAPublicKey(pem: contents.bytes), nil)
    } catch {
      // The advice speaks of a file `key.pem`; here its name is known.
      return (nil, "\(shown): \(error.advice.replacing(" key.pem", with: " \(Printable.word(path))"))")
    }
  }
}
