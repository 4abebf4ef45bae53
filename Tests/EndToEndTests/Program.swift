// A program that runs to its end: what it is told, and what it says. Through files, so that nobody waits for a reader.

import Foundation
import Synchronization

enum Program {
  struct Outcome: Sendable {
    let code: Int32
    let output: String
    let errors: String
  }

  /// The products lie beside the test bundle.
  static func built(_ name: String) -> String { Bundle.main.bundleURL.appending(path: name).path }

  /// Where the repository is, by this file.
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// `program` is a path, or a name that is looked up. Only what is said here is in its environment, and PATH.
  static func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], input: String = ""
  ) async throws -> Outcome {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mandate-run-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    defer {
      do { try FileManager.default.removeItem(at: folder) } catch { print("left behind: \(folder.path): \(error)") }
    }
    func file(_ name: String, _ text: String) throws -> FileHandle {
      try Data(text.utf8).write(to: folder.appending(path: name))
      return try FileHandle(forUpdating: folder.appending(path: name))
    }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"].merging(environment) { $1 }
    process.standardInput = try file("in", input)
    process.standardOutput = try file("out", "")
    process.standardError = try file("err", "")
    let code = try await ended(process)
    func said(_ name: String) throws -> String {
      String(decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
    }
    return Outcome(code: code, output: try said("out"), errors: try said("err"))
  }

  /// Waiting needs a run loop, which a thread of its own has.
  private static func ended(_ process: sending Process) async throws -> Int32 {
    let running = Running(process)
    return try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try running.end() }) }
    }
  }

  private final class Running: Sendable {
    private let process: Mutex<Process>

    init(_ process: sending Process) { self.process = Mutex(process) }

    func end() throws -> Int32 {
      try process.withLock { process in
        try process.run()
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
      }
    }
  }
}
