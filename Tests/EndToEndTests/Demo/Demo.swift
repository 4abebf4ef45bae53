// One demo's folder, what runs for it, and what it could leave behind.

import Contracts
import Foundation
import Glibc

final class Demo: Sendable {
  static let script = Program.root.appending(path: "Scripts/demo.sh").path
  static let products = Bundle.main.bundleURL.path

  /// Runs what follows in a process group of its own, as a terminal does, and says its number first. A runner of
  /// tests may ignore interruptions, and whoever it starts would inherit that.
  static let inGroup = ["env", "--default-signal=INT", "bash", "-c", "set -m; bash \"$@\" & echo $!; wait $!", "group"]

  /// What a reader's shell may have set for something else: nothing of the demo may go there.
  private static let elsewhere = [
    "DATABASE_URL": "postgres://nobody@/elsewhere?host=/nowhere", "PGHOST": "/nowhere", "PGOPTIONS": "-c search_path=x",
    "MANDATE_DATABASE_URL": "postgres://nobody@/elsewhere?host=/nowhere", "http_proxy": "http://127.0.0.1:9",
  ]

  /// Holds the demo's folder, and scripts of a test.
  private let home: String
  var folder: String { home + "/demo" }

  /// Stops it whatever has happened, so that a test which fails leaves nothing running either.
  static func with(_ body: (Demo) async throws -> Void) async throws {
    let demo = try Demo()
    let result: Result<Void, any Error>
    do { result = .success(try await body(demo)) } catch { result = .failure(error) }
    _ = try await demo.run("stop")
    try FileManager.default.removeItem(atPath: demo.home)
    try result.get()
  }

  private init() throws {
    home = FileManager.default.temporaryDirectory.path + "/mandate-demo-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: home, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  }

  func run(_ order: String..., scripts: String = Demo.script) async throws -> Program.Outcome {
    try await run(order, scripts: scripts)
  }

  func run(_ order: [String], scripts: String = Demo.script) async throws -> Program.Outcome {
    try await Program.run(
      "bash", [scripts] + order + ["--folder", folder, "--bin", Self.products], environment: Self.elsewhere)
  }

  /// As a reader types it.
  func type(_ command: String) async throws -> Program.Outcome {
    try await Program.run("bash", ["-c", "cd \"$0\" && . ./env && \(command)", folder])
  }

  /// The path of a copy of the demo that tells the story and makes one kind of attempt, of which it expects something
  /// else.
  func spoiltScripts(attempt: String, expectation: String, other: String) throws -> String {
    let files = FileManager.default
    try files.copyItem(atPath: Program.root.appending(path: "Scripts").path, toPath: home + "/Scripts")
    try files.createSymbolicLink(
      atPath: home + "/Tests", withDestinationPath: Program.root.appending(path: "Tests").path)
    let path = "\(home)/Scripts/demo/attempts.sh"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    guard text.ranges(of: expectation).count == 1 else { throw Missing(what: expectation) }
    let only = "\ntry_everything() { \(attempt); }\n"
    try (text.replacing(expectation, with: other) + only).write(toFile: path, atomically: true, encoding: .utf8)
    return home + "/Scripts/demo.sh"
  }

  struct Missing: Error {
    let what: String
  }

  // MARK: What there is

  struct Traces {
    /// The three programs and PostgreSQL, each with the time of its birth.
    let processes: [String]
    let postmaster: String
    /// The demo's folder, and where root's PostgreSQL is.
    let places: [String]
  }

  /// `isWhole`: everything runs; otherwise as much as there is.
  func traces(isWhole: Bool = true) throws -> Traces {
    func read(_ path: String) throws -> String? {
      guard FileManager.default.fileExists(atPath: path) else {
        if isWhole { throw Missing(what: path) }
        return nil
      }
      return try String(contentsOfFile: path, encoding: .utf8)
    }
    let cluster = try read(folder + "/.mandate/cluster.json") ?? "{}"
    let id = try JSONValue(parsing: cluster)["id"]?.text ?? "none"
    let homes = ["/var/lib/mandate/\(id)", folder + "/.mandate/postgres"]
    let home = homes.first { FileManager.default.fileExists(atPath: $0) }
    let first = try home.flatMap { try read($0 + "/data/postmaster.pid") }?.split(separator: "\n").first
    guard let postmaster = first.map(String.init) else { throw Missing(what: "postmaster.pid") }
    var processes = [try postmaster + " " + Self.birth(postmaster)]
    for name in ["mandate-dev", "mandate-issuer", "mandate-resolver"] {
      if let line = try read("\(folder)/\(name).pid")?.split(separator: "\n").first { processes.append(String(line)) }
    }
    return Traces(
      processes: processes, postmaster: postmaster,
      places: [folder, "/var/lib/mandate/\(id)", "/run/mandate/\(id)"])
  }

  /// `number birth`: a number may be used again, both together are not. One that nobody has waited for is none.
  static func isRunning(_ process: String) -> Bool {
    let parts = process.split(separator: " ").map(String.init)
    do { return try parts.count == 2 && birth(parts[0]) == parts[1] } catch { return false }
  }

  private static func birth(_ process: String) throws -> String {
    let line = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    let fields = line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ")
    guard fields.count > 20, !["Z", "X"].contains(fields[1]) else { throw Missing(what: process) }
    return String(fields[20])
  }

  /// Segments that this process made, as the kernel lists them.
  func sharedMemory(of process: String) throws -> Int {
    let lines = try String(contentsOfFile: "/proc/sysvipc/shm", encoding: .utf8).split(separator: "\n")
    return lines.dropFirst().count { line in
      let fields = line.split(separator: " ")
      return fields.count > 4 && fields[4] == process
    }
  }
}
