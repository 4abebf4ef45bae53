// A client that is a process of its own and can be killed: psql, told one statement at a time.

import Foundation
import PostgresSupport
import Synchronization
import Testing

#if canImport(Glibc)
  import Glibc
#endif

final class PSQL: Sendable {
  private let process: Mutex<Process>
  private let orders: FileHandle
  private let lines = Lines()

  private static let marker = "-- that was it --"

  init(_ url: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", url]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    self.process = Mutex(process)
    orders = input.fileHandleForWriting
    let (answers, lines) = (output.fileHandleForReading, lines)
    Thread.detachNewThread { lines.read(answers) }
  }

  /// Sends a statement and waits for its whole answer, line by line. Without an answer the process has died.
  func say(_ sql: String) async throws -> [String] {
    let before = lines.count
    try orders.write(contentsOf: Data("\(sql)\n\\echo \(Self.marker)\n".utf8))
    let all = await lines.wait { $0.dropFirst(before).contains(Self.marker) }
    guard let end = all.dropFirst(before).firstIndex(of: Self.marker) else {
      throw SupportError.failed("psql has ended")
    }
    return Array(all[before..<end])
  }

  /// Sends it and waits for nothing.
  func send(_ sql: String) throws { try orders.write(contentsOf: Data("\(sql)\n".utf8)) }

  /// SIGKILL: it says nothing to anybody any more.
  func kill() {
    process.withLock {
      _ = Glibc.kill($0.processIdentifier, SIGKILL)
      $0.waitUntilExit()
    }
  }

  /// All that ever came out of it; to be asked when it is dead.
  func everything() async -> [String] { await lines.wait { _ in false } }

  /// What has come so far, collected by a thread of its own.
  private final class Lines: Sendable {
    private struct State {
      var lines: [String] = []
      var isOver = false
    }
    private let state = Mutex(State())
    private let changed = DispatchSemaphore(value: 0)

    var count: Int { state.withLock { $0.lines.count } }

    func read(_ handle: FileHandle) {
      var rest: [UInt8] = []
      while case let data = handle.availableData, !data.isEmpty {
        rest += data
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
          let line = String(decoding: rest[..<end], as: UTF8.self)
          rest.removeFirst(end + 1)
          state.withLock { $0.lines.append(line) }
        }
        changed.signal()
      }
      state.withLock { $0.isOver = true }
      changed.signal()
    }

    /// Until the condition holds or nothing can come any more. One waiter at a time.
    func wait(_ condition: @escaping @Sendable ([String]) -> Bool) async -> [String] {
      await withCheckedContinuation { continuation in
        Thread.detachNewThread {
          while true {
            let (lines, isOver) = self.state.withLock { ($0.lines, $0.isOver) }
            if isOver || condition(lines) { return continuation.resume(returning: lines) }
            self.changed.wait()
          }
        }
      }
    }
  }
}
