// What the tests of the verifier share: fixtures, a folder of their own, and a run whose output is caught.

import Contracts
import Foundation
import Synchronization
import Testing

@testable import VectorChecks

enum Fixtures {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures").path()

  static func text(_ name: String) throws -> String {
    try String(contentsOf: URL(filePath: folder).appending(path: name), encoding: .utf8)
  }

  static func json(_ name: String) throws -> JSONValue { try JSONValue(parsing: try text(name)) }

  static func path(_ name: String) -> String { folder.hasSuffix("/") ? folder + name : folder + "/" + name }
}

/// A folder that lives as long as the test that made it.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "mandate-vectors-\(UUID())").path()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String { try write(Array(text.utf8), to: name) }

  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let url = URL(filePath: path).appending(path: name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path()
  }
}

/// One run of the command inside this process.
struct CaughtRun {
  let code: ExitCode
  let out: String
  let err: String

  init(_ arguments: String..., isWatched: Bool = false) async {
    let (out, err) = (Caught(), Caught())
    code = await VectorsCommand.run(
      arguments, console: Console(out: { out.add($0) }, err: { err.add($0) }, isWatched: isWatched))
    (self.out, self.err) = (out.text, err.text)
  }

  var lines: [Substring] { out.split(separator: "\n") }
}

final class Caught: Sendable {
  private let caught = Mutex("")
  func add(_ text: String) { caught.withLock { $0 += text } }
  var text: String { caught.withLock { $0 } }
}

/// The verdict on content that lies in no file.
func verdict(on content: VectorContent, kinds: [VectorKind] = VectorKinds.all) -> FileReport.Verdict {
  Verification(kinds: kinds).verdict(on: content, in: FoundFile(path: "fixture", bytes: 0))
}

extension FileReport.Verdict {
  var tally: Tally? { if case .checked(_, let tally) = self { tally } else { nil } }
  var kind: String? { if case .checked(let kind, _) = self { kind } else { nil } }
  var why: String? { if case .broken(_, let why) = self { why } else { nil } }
  /// A run that looked only at this would end with 1.
  var fails: Bool { Totals([FileReport(path: "", verdict: self)]).exitCode(partial: true) == .failed }
}
