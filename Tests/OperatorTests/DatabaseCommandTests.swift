// `mandate db` on the built command, with real clusters: as an operator meets them, at night too.

import FolderSupport
import Foundation
import Testing

@Suite(.serialized) struct DatabaseCommandTests {
  @Test("In a fresh folder, start, bootstrap, migrate and verify are enough, and doing it twice is fine")
  func freshFolder() throws {
    let place = try PrivateClusterFolder()
    for _ in 1...2 {
      for command in ["start", "bootstrap", "migrate", "verify"] {
        let outcome = try place.run(command)
        #expect(outcome.code == 0, "\(command): \(outcome.errors)")
      }
    }
    let status = try place.run("status", "--json")
    let urls = try #require(status.json?["urls"] as? [String: String])
    #expect(urls.count == 7)
    #expect(status.json?["state"] as? String == "running")
  }

  @Test("Each role's password is in a file of mode 0600, and neither outputs nor the server's log show one")
  func passwordsStayPrivate() throws {
    let place = try PrivateClusterFolder()
    var said = ""
    for command in ["start", "bootstrap", "migrate", "status"] {
      let outcome = try place.run(command)
      said += outcome.output + outcome.errors
    }
    let folder = place.folder.path(".mandate/passwords")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(files.count == 7)
    said += try String(contentsOfFile: place.status("log"), encoding: .utf8)
    var seen: Set<String> = []
    for file in files {
      let path = folder + "/" + file
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(mode == 0o600, "\(file)")
      let line = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .newlines)
      let password = try #require(line.split(separator: ":").last.map(String.init))
      #expect(password.count == 64)
      #expect(!said.contains(password), "\(file)")
      seen.insert(password)
    }
    #expect(seen.count == 7, "two roles have the same password")
  }

  @Test("Nobody logs in with a wrong password, or without one")
  func wrongPassword() throws {
    let place = try PrivateClusterFolder()
    for command in ["start", "bootstrap", "migrate"] { #expect(try place.run(command).code == 0) }
    let sockets = try place.status("socketFolder")
    let right = place.folder.path(".mandate/passwords/mandate_owner.pgpass")
    let wrong = try place.folder.write("wrong", "*:*:*:mandate_owner:wrong\n", mode: 0o600)
    func verify(_ passwords: String) throws -> Outcome {
      try place.run(
        "verify", "--url", "postgres://mandate_owner@/mandate?host=\(sockets)&port=5432\(passwords)")
    }
    #expect(try verify("&passfile=\(right)").code == 0)
    #expect(try verify("&passfile=\(wrong)").code == 1)
    #expect(try verify("").code == 1)
    // Only one of the two roles' files opens the other role's door.
    let other = place.folder.path(".mandate/passwords/mandate_runner.pgpass")
    #expect(try verify("&passfile=\(other)").code == 1)
  }

  @Test("A killed postmaster is started again, and what was committed is there")
  func killedPostmaster() throws {
    let place = try PrivateClusterFolder()
    for command in ["start", "bootstrap", "migrate"] { #expect(try place.run(command).code == 0) }
    try place.killPostmaster()
    #expect(try place.run("status").code == 1)
    #expect(try place.run("start").code == 0)
    #expect(try place.run("verify").code == 0)
  }

  @Test("A pid file whose number another process has now, and an emptied /run, do not stop a start")
  func afterReboot() throws {
    let place = try PrivateClusterFolder()
    for command in ["start", "bootstrap", "migrate"] { #expect(try place.run(command).code == 0) }
    try place.killPostmaster()
    #expect(try place.run("start").code == 0)
    let pidFile = try place.status("data") + "/postmaster.pid"
    let sockets = try place.status("socketFolder")
    let remains = try String(contentsOfFile: pidFile, encoding: .utf8)
    #expect(try place.run("stop").code == 0)
    // As it was, but with the number of a process that is no server: this one.
    let lines = ["\(ProcessInfo.processInfo.processIdentifier)"] + remains.components(separatedBy: "\n").dropFirst()
    try lines.joined(separator: "\n").write(toFile: pidFile, atomically: false, encoding: .utf8)
    try FileManager.default.removeItem(atPath: sockets)
    let start = try place.run("start")
    #expect(start.code == 0, "\(start.errors)")
    #expect(try place.run("verify").code == 0)
  }

  @Test("Where PostgreSQL is missing, the command says what to install")
  func missingPrograms() throws {
    let place = try PrivateClusterFolder()
    let empty = try place.folder.makeFolder("empty")
    let outcome = try place.run("start", environment: ["MANDATE_POSTGRES_PROGRAMS": empty])
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains("apt-get install postgresql-15"))
    #expect(outcome.errors.contains("create_main_cluster = false"))
  }

  @Test(
    "Commands without a database say how to get one", arguments: ["bootstrap", "migrate", "verify", "stop", "status"])
  func noDatabase(command: String) throws {
    let place = try PrivateClusterFolder()
    let outcome = try place.run(command)
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains("mandate db start"))
  }

  @Test("Two starts at once make one cluster")
  func twoStarts() throws {
    let place = try PrivateClusterFolder()
    let both = try (1...2).map { _ in
      try BuiltCommand.start(BuiltCommand.mandate, ["db", "start", "--json"], in: place.folder)
    }
    let outcomes = try both.map { try $0.wait() }
    #expect(outcomes.map(\.code) == [0, 0], "\(outcomes.map(\.errors))")
    #expect(outcomes.count { $0.json?["started"] as? Bool == true } == 1)
  }

  @Test("The environment's database is used under each of its names, ours first")
  func environment() throws {
    let place = try PrivateClusterFolder()
    for name in ["MANDATE_DATABASE_URL", "SYNC_DATABASE_URL", "DATABASE_URL"] {
      let outcome = try place.run("verify", environment: [name: "postgres://nobody@/nothing?host=/nonexistent"])
      #expect(outcome.code == 1)
      #expect(outcome.errors.contains("/nonexistent"), "\(name)")
    }
    let malformed = try place.run("verify", environment: ["MANDATE_DATABASE_URL": "mysql://x:hidden@y/z"])
    #expect(malformed.code == 2)
    #expect(!malformed.errors.contains("hidden"))
  }
}

/// A folder whose private cluster, if it got one, is stopped and removed at the end.
final class PrivateClusterFolder {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func run(_ words: String..., environment: [String: String] = [:]) throws -> Outcome {
    try BuiltCommand.run(["db"] + words, in: folder, environment: environment)
  }

  func status(_ member: String) throws -> String {
    try #require(try run("status", "--json").json?[member] as? String)
  }

  /// As the kernel does when memory runs out.
  func killPostmaster() throws {
    let text = try String(contentsOfFile: status("data") + "/postmaster.pid", encoding: .utf8)
    let pid = try #require(text.split(separator: "\n").first.flatMap { Int32($0) })
    #expect(kill(pid, SIGKILL) == 0)
  }

  deinit { Self.remove(below: folder) }

  static func remove(below folder: TemporaryFolder) {
    guard FileManager.default.fileExists(atPath: folder.path(".mandate/cluster.json")) else { return }
    do {
      let status = try BuiltCommand.run(["db", "status", "--json"], in: folder)
      _ = try BuiltCommand.run(["db", "stop"], in: folder)
      guard getuid() == 0, let data = status.json?["data"] as? String,
        let sockets = status.json?["socketFolder"] as? String
      else { return }
      // Root's cluster lies outside of the folder.
      try FileManager.default.removeItem(at: URL(filePath: data).deletingLastPathComponent())
      if FileManager.default.fileExists(atPath: sockets) { try FileManager.default.removeItem(atPath: sockets) }
    } catch { print("left behind: the cluster of \(folder.path): \(error)") }
  }
}
