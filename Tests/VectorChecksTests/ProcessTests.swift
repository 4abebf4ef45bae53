// The executable as it is built: arguments, streams and exit codes of a real process.

import Contracts
import Foundation
import Testing

@testable import VectorChecks

@Suite("The built executable")
struct ProcessTests {
  private struct Ended {
    let code: Int32
    let out: String
    let err: String
  }

  /// The tests and the executable are built into one folder.
  private static func run(_ arguments: String...) throws -> Ended {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let executable = URL(filePath: tests).deletingLastPathComponent().appending(path: "mandate-vectors")
    return try run(executable, arguments)
  }

  private static func run(
    _ executable: URL, _ arguments: [String] = [], with variables: [String: String] = [:]
  ) throws -> Ended {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(variables) { _, new in new }
    let (out, err) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (out, err)
    try process.run()
    // Both fit into a pipe's buffer many times over, so one after the other cannot block.
    let (outBytes, errBytes) = (
      out.fileHandleForReading.readDataToEndOfFile(), err.fileHandleForReading.readDataToEndOfFile()
    )
    process.waitUntilExit()
    return Ended(
      code: process.terminationStatus, out: String(decoding: outBytes, as: UTF8.self),
      err: String(decoding: errBytes, as: UTF8.self))
  }

  @Test("0: everything passed")
  func passed() throws {
    let ended = try Self.run("verify", Fixtures.path("hkdf.txt"))
    #expect(ended.code == 0)
    #expect(ended.out.hasSuffix("2 passed, 0 failed, 0 set apart, 1 skipped\n"))
    #expect(ended.err.isEmpty)
  }

  @Test("1: something failed")
  func failed() throws {
    let folder = try TemporaryFolder()
    let text = try Fixtures.text("wycheproof-hkdf.json")
    let path = try folder.write(text.replacing("\"numberOfTests\": 4", with: "\"numberOfTests\": 40"), to: "x.json")
    let ended = try Self.run("verify", path)
    #expect(ended.code == 1)
    #expect(ended.out.contains("failed: \(path) (wycheproof hkdf-sha-256): numberOfTests is 40, but the groups hold 4"))
    #expect(try Self.run("verify", folder.path + "/nowhere").code == 1)
  }

  @Test("Published vectors that cannot be fetched are skipped by name, and that is no failure")
  func fetching() throws {
    let folder = try TemporaryFolder()
    let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Scripts/fetch-published-vectors.sh")
    let ended = try Self.run(
      script,
      with: [
        "MANDATE_CACHE": folder.path, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null",
      ])
    #expect(ended.code == 0)
    #expect(ended.out.isEmpty)
    #expect(ended.err.contains("skipped: published vectors ("))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty, "nothing half-made stays")
  }

  @Test("2: wrong usage")
  func usage() throws {
    for arguments in ["verify", "unknown"] {
      let ended = try Self.run(arguments)
      #expect(ended.code == 2)
      #expect(ended.out.isEmpty)
      #expect(!ended.err.isEmpty)
    }
  }

  @Test("3: a file was not understood, 0 with --partial, and --json is JSON on standard output alone")
  func notUnderstood() throws {
    let strict = try Self.run("verify", "--json", Fixtures.folder)
    #expect(strict.code == 3)
    let partial = try Self.run("verify", "--json", "--partial", Fixtures.folder)
    #expect(partial.code == 0)
    let report = try JSONValue(parsing: partial.out)
    #expect(report["totals"]?["notUnderstood"]?.number?.integer == 3, "the scripts that write the fixtures")
    #expect(report["totals"]?["files"]?.number?.integer == FixtureTests.all.count)
    #expect(partial.err.isEmpty)
  }
}
