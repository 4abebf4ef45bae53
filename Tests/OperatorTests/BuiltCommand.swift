// Runs the built `mandate` as a process, as an operator would.

import FolderSupport
import Foundation
import Testing

struct Outcome: Sendable {
  let code: Int32
  let output: String
  let errors: String

  var json: [String: Any]? { Self.object(output) }
  var errorJSON: [String: Any]? { Self.object(errors) }

  private static func object(_ text: String) -> [String: Any]? {
    do { return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] } catch { return nil }
  }
}

enum BuiltCommand {
  /// The products lie beside the test bundle.
  static let products = Bundle.main.bundleURL
  static let mandate = products.appending(path: "mandate").path

  @discardableResult
  static func run(
    _ arguments: [String], in folder: TemporaryFolder, environment: [String: String] = [:]
  ) throws -> Outcome {
    try start(mandate, arguments, in: folder, environment: environment).wait()
  }

  /// Another program, or the command by way of a shell.
  static func other(_ program: String, _ arguments: [String], in folder: TemporaryFolder) throws -> Outcome {
    try start("/usr/bin/env", [program] + arguments, in: folder).wait()
  }

  static func start(
    _ program: String, _ arguments: [String], in folder: TemporaryFolder, environment: [String: String] = [:],
    output: Pipe? = nil
  ) throws -> Running {
    let running = Running()
    running.process.executableURL = URL(filePath: program)
    running.process.arguments = arguments
    running.process.currentDirectoryURL = URL(filePath: folder.path)
    // Only what is said here: settings of whoever runs the tests must not decide them.
    let path = "\(products.path):/usr/local/bin:/usr/bin:/bin"
    running.process.environment = ["PATH": path].merging(environment) { $1 }
    running.process.standardInput = FileHandle.nullDevice
    running.process.standardOutput = output ?? running.output
    running.process.standardError = running.errors
    try running.process.run()
    return running
  }

  final class Running {
    let process = Process()
    fileprivate let output = Pipe()
    fileprivate let errors = Pipe()

    /// What a command says fits into a pipe, so the two can be read one after the other.
    func wait() throws -> Outcome {
      // Ours to close where somebody else's pipe was used; Process closes the end that it gave away.
      if process.standardOutput as? Pipe !== output { try output.fileHandleForWriting.close() }
      let output = try output.fileHandleForReading.readToEnd() ?? Data()
      let errors = try errors.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      try #require(process.terminationReason == .exit, "it was ended by a signal")
      return Outcome(
        code: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
        errors: String(decoding: errors, as: UTF8.self))
    }
  }
}
