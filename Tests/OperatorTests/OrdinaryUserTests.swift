// The private cluster of somebody who is not root: everything below the folder, run by that user. Where the tests
// themselves run as an ordinary user, all other suites show it; as root this one becomes another user for it.

import FolderSupport
import Foundation
import Testing

@Suite struct OrdinaryUserTests {
  /// The weakest user that every Debian has.
  private static let name = "nobody"

  private static func command(_ words: [String]) -> [String] {
    ["--reuid=\(name)", "--regid=nogroup", "--clear-groups", "--"] + words
  }

  /// A toolchain below root's home can't be used by anybody else.
  private static let canRun: Bool = {
    guard getuid() == 0 else { return false }
    do {
      let folder = try TemporaryFolder()
      let mandate = try lend(folder)
      return try BuiltCommand.other("setpriv", command([mandate, "--version"]), in: folder).code == 0
    } catch { return false }
  }()

  /// The command lies in the folder, since the checkout may be closed to others.
  private static func lend(_ folder: TemporaryFolder) throws -> String {
    let mandate = folder.path("mandate")
    try FileManager.default.copyItem(atPath: BuiltCommand.mandate, toPath: mandate)
    let outcome = try BuiltCommand.other("chown", ["-R", "\(name):nogroup", folder.path], in: folder)
    try #require(outcome.code == 0)
    return mandate
  }

  @Test(
    "As an ordinary user, start, bootstrap, migrate, verify, renew and stop work in a folder of one's own",
    .enabled(if: canRun, "not root, or the toolchain is closed to others"))
  func everything() throws {
    let folder = try TemporaryFolder()
    let mandate = try Self.lend(folder)
    func run(_ words: String...) throws -> Outcome {
      try BuiltCommand.other(
        "setpriv", Self.command([mandate, "db"] + words + ["--folder", folder.path]), in: folder)
    }
    defer {
      do { _ = try run("stop") } catch { print("left behind: a server in \(folder.path): \(error)") }
    }
    for command in ["start", "bootstrap", "migrate", "verify", "start", "renew-passwords", "verify"] {
      let outcome = try run(command)
      #expect(outcome.code == 0, "\(command): \(outcome.errors)")
    }
    // Lost for good, and found again without anybody's password.
    try FileManager.default.removeItem(atPath: folder.path(".mandate/passwords"))
    for command in ["renew-passwords", "verify"] {
      let outcome = try run(command)
      #expect(outcome.code == 0, "\(command): \(outcome.errors)")
    }
    let status = try run("status", "--json")
    let data = try #require(status.json?["data"] as? String)
    #expect(data == folder.path(".mandate/postgres/data"))
    let owner = try FileManager.default.attributesOfItem(atPath: data)[.ownerAccountName] as? String
    #expect(owner == Self.name)
    // Somebody else, root too, is told whose it is.
    let foreign = try BuiltCommand.run(["db", "start"], in: folder)
    #expect(foreign.code == 1 && foreign.errors.contains("belongs to user"))
    #expect(try run("stop").code == 0)
    #expect(try run("status").code == 1)
  }
}
