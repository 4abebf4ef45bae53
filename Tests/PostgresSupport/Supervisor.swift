// A shell that starts a server in a throw-away folder, obeys orders on its standard input, and ends the server and the
// folder when that input ends. It ends for certain when the test process does, however that dies, so no test run
// leaves a server behind.

import Foundation

package enum SupportError: Error, CustomStringConvertible {
  /// A program that the tests need is not installed; a missing server is a failure, never a skip.
  case missing(String)
  case failed(String)

  package var description: String {
    switch self {
    case .missing(let what): "\(what) is needed by the tests and is not installed (see `make deps`)"
    case .failed(let what): what
    }
  }
}

/// One order at a time, each answered by one line.
final class Supervisor: Sendable {
  /// Below TMPDIR, and short: a socket's path ends at 107 bytes.
  let folder: String
  private let line: Line

  private actor Line {
    let process: Process
    let orders: FileHandle
    let answers: FileHandle

    init(script: String, arguments: [String]) throws {
      process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-c", script, "supervisor"] + arguments
      let (input, output) = (Pipe(), Pipe())
      process.standardInput = input
      process.standardOutput = output
      process.standardError = FileHandle.nullDevice
      (orders, answers) = (input.fileHandleForWriting, output.fileHandleForReading)
      try process.run()
    }

    func order(_ text: String?) async throws -> String {
      if let text { try orders.write(contentsOf: Data((text + "\n").utf8)) }
      let answers = answers
      // Reading waits, so it has a thread of its own.
      return try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try Self.readLine(answers) }) }
      }
    }

    private static func readLine(_ handle: FileHandle) throws -> String {
      var bytes: [UInt8] = []
      while let next = try handle.read(upToCount: 1)?.first, next != UInt8(ascii: "\n") { bytes.append(next) }
      return String(decoding: bytes, as: UTF8.self)
    }

    func end() throws { try orders.close() }
  }

  init(script: String, folder: String, arguments: [String]) throws {
    self.folder = folder
    line = try Line(script: Self.prelude + script, arguments: [folder] + arguments)
  }

  /// The words after "ok" of the answer.
  @discardableResult
  func order(_ text: String? = nil) async throws -> [String] {
    let answer = try await line.order(text).split(separator: " ").map(String.init)
    guard answer.first == "ok" else {
      let log = (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? ""
      throw SupportError.failed("\(text ?? "start") failed: \(answer.joined(separator: " ")) \(log.suffix(2_000))")
    }
    return Array(answer.dropFirst())
  }

  func end() async throws { try await line.end() }

  /// Both servers refuse to run as root, so as root they are dropped to `postgres`. A Ctrl-C reaches the whole group:
  /// the shell ignores it and cleans up when its input ends.
  private static let prelude = """
    trap '' INT TERM HUP PIPE
    folder=$1
    as_server() {
      if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid=postgres --init-groups -- "$@" </dev/null
      else
        "$@" </dev/null
      fi
    }

    """

  /// Runs a program to its end; its output is the answer.
  static func run(_ program: String, _ arguments: [String], in folder: String = "/") throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw SupportError.missing("\(program) \(arguments.first ?? "")") }
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
