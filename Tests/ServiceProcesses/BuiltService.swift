// A built service as its operator runs it: settings by environment, orders by signal, and what it says line by line.
// What a test asks of one service in particular stands with its suites.

package import Contracts
package import Foundation
import Synchronization

package final class BuiltService: Sendable {
  private let process: Mutex<Process>
  private let lines: Mutex<[String]> = Mutex([])
  private let arrivals: AsyncStream<String>
  private let ended: AsyncStream<Int32>
  private let exitCode: Mutex<Int32?> = Mutex(nil)

  /// Lines that nobody has read yet; a service under load says one for every request.
  private static let mostUnread = 1_000_000

  /// What was built beside the tests.
  package static let built = Bundle.main.bundleURL
  /// What `swift build -c release` leaves; nothing, unless somebody ran it.
  package static let released = built.deletingLastPathComponent().appending(path: "release")

  /// Starts it; `program` is the name of a product. It dies with this value at the latest.
  package init(_ program: String, _ environment: [String: String], in folder: URL = built) throws {
    let process = Process()
    process.executableURL = folder.appending(path: program)
    process.environment = environment
    let errors = Pipe()
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    let (arrivals, arrived) = AsyncStream.makeStream(
      of: String.self, bufferingPolicy: .bufferingOldest(Self.mostUnread))
    let (ended, end) = AsyncStream.makeStream(of: Int32.self)
    (self.arrivals, self.ended) = (arrivals, ended)
    process.terminationHandler = { process in
      end.yield(process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus)
      end.finish()
    }
    self.process = Mutex(process)
    try self.process.withLock { try $0.run() }
    let reading = errors.fileHandleForReading
    // Read to the end, so that the service never writes into a full pipe.
    Thread.detachNewThread {
      var rest = Data()
      while case let data = reading.availableData, !data.isEmpty {
        rest += data
        while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
          arrived.yield(String(decoding: rest[..<newline], as: UTF8.self))
          rest = Data(rest[(newline + 1)...])
        }
      }
      arrived.finish()
    }
  }

  deinit { process.withLock { if $0.isRunning { kill($0.processIdentifier, SIGKILL) } } }

  package struct Silence: Error {
    package let event: String
    package let said: [String]

    package init(event: String, said: [String]) { (self.event, self.said) = (event, said) }
  }

  // MARK: What it says

  /// The next line; nil when it has ended and everything was read.
  package func nextLine() async -> String? {
    for await line in arrivals {
      lines.withLock { $0.append(line) }
      return line
    }
    return nil
  }

  /// The next line of this event, and about this matter if one is named.
  @discardableResult
  package func line(_ event: String, about reason: String? = nil) async throws -> JSONValue {
    while let line = await nextLine() {
      let json = try JSONValue(parsing: line)
      if json["event"]?.text == event, reason == nil || json["reason"]?.text == reason { return json }
    }
    throw Silence(event: event, said: said)
  }

  /// All lines that were read so far.
  package var said: [String] { lines.withLock { $0 } }

  // MARK: Orders

  package var pid: Int32 { process.withLock { $0.processIdentifier } }

  package func signal(_ number: Int32) { process.withLock { if $0.isRunning { kill($0.processIdentifier, number) } } }

  /// Waits until it has ended and said everything; its exit code, or 128 and the signal.
  package func end() async throws -> Int32 {
    while await nextLine() != nil {}
    for await code in ended { exitCode.withLock { $0 = code } }
    if let code = exitCode.withLock({ $0 }) { return code }
    throw Silence(event: "the end", said: said)
  }
}
