// The example service as a process of its own, as an operator would run it: settings by environment, orders by signal,
// and what it says line by line.

import Foundation
import HTTPFetching
import Synchronization
import Testing

final class RunningService: Sendable {
  static let program = Bundle.main.bundleURL.appending(path: "ExampleService").path
  static let key = "gQ3mZr8vXc1LpT6wYk9uBf2sHn5jEa7d"

  struct Line: Sendable {
    let text: String
    /// Members that are texts.
    let texts: [String: String]
    let status: Int?

    init(_ text: String) {
      self.text = text
      let object: [String: Any]
      do {
        object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
      } catch {
        object = [:]
      }
      texts = object.compactMapValues { $0 as? String }
      status = object["status"] as? Int
    }

    var event: String { texts["event"] ?? "" }
  }

  private let process: Mutex<Process>
  private let lines: Mutex<[Line]>
  private let arrivals: AsyncStream<Line>
  private let ended: AsyncStream<Int32>
  let folder: URL

  /// A file that the service reads lies in `folder`; `environment` is all it is started with beside that.
  init(_ environment: [String: String] = [:], arguments: [String] = []) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "mandate-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    let process = Process()
    process.executableURL = URL(filePath: Self.program)
    process.arguments = arguments
    process.environment = [
      "MANDATE_PUBLIC_LISTEN": "127.0.0.1:0", "MANDATE_INTERNAL_LISTEN": "127.0.0.1:0",
      "MANDATE_EXAMPLE_FILE": folder.appending(path: "file").path, "MANA_SERVICE_KEY": Self.key,
    ].merging(environment) { $1 }
    let errors = Pipe()
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    let (arrivals, arrived) = AsyncStream.makeStream(of: Line.self)
    let (ended, end) = AsyncStream.makeStream(of: Int32.self)
    (self.arrivals, self.ended) = (arrivals, ended)
    lines = Mutex([])
    let reading = errors.fileHandleForReading
    let code = { @Sendable (process: Process) -> Int32 in
      process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    }
    process.terminationHandler = { process in
      end.yield(code(process))
      end.finish()
    }
    self.process = Mutex(process)
    try writeFile()
    try self.process.withLock { try $0.run() }
    Thread.detachNewThread {
      var rest = Data()
      while true {
        let data = reading.availableData
        if data.isEmpty { break }
        rest += data
        while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
          arrived.yield(Line(String(decoding: rest[..<newline], as: UTF8.self)))
          rest = Data(rest[(newline + 1)...])
        }
      }
      arrived.finish()
    }
  }

  deinit {
    process.withLock { if $0.isRunning { kill($0.processIdentifier, SIGKILL) } }
    do { try FileManager.default.removeItem(at: folder) } catch { print("left behind: \(folder.path): \(error)") }
  }

  func writeFile(_ text: String = "x") throws { try Data(text.utf8).write(to: folder.appending(path: "file")) }
  func removeFile() throws { try FileManager.default.removeItem(at: folder.appending(path: "file")) }

  /// The next line of this event; lines that came before it are kept in `said`.
  @discardableResult
  func line(_ event: String) async throws -> Line {
    for await line in arrivals {
      lines.withLock { $0.append(line) }
      if line.event == event { return line }
    }
    throw Silence(event: event, said: said.map(\.text))
  }

  struct Silence: Error {
    let event: String
    let said: [String]
  }

  /// Every line so far that somebody waited for or past.
  var said: [Line] { lines.withLock { $0 } }

  func signal(_ number: Int32) { process.withLock { _ = kill($0.processIdentifier, number) } }

  /// Its exit code, once it has ended and said everything.
  func end() async throws -> Int32 {
    for await line in arrivals { lines.withLock { $0.append(line) } }
    for await code in ended { return code }
    throw Silence(event: "the end", said: said.map(\.text))
  }

  /// Waits until both listeners are there; answers their addresses, the public one first.
  func addresses() async throws -> (forUsers: String, inside: String) {
    let forUsers = try #require(try await line("Listening.").texts["address"])
    let inside = try #require(try await line("Listening.").texts["address"])
    return (forUsers, inside)
  }
}

/// What a test asks a service over HTTP.
struct Caller {
  let client: HTTPClient

  init(authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil) throws {
    var configuration = HTTPConfiguration()
    configuration.trust = HTTPConfiguration.Trust(
      authorityFile: authorityFile, clientCertificateFile: certificateFile, clientKeyFile: keyFile)
    client = try HTTPClient(configuration)
  }

  struct Answer: Sendable {
    let status: Int
    let body: String
    let requestID: String?
  }

  func get(_ url: String, headers: [(String, String)] = []) async throws -> Answer {
    try await send(HTTPRequest(.get, try HTTPURL(url)), headers)
  }

  func post(_ url: String, _ body: String, headers: [(String, String)] = []) async throws -> Answer {
    let body = HTTPBody(Array(body.utf8), contentType: "text/plain")
    return try await send(HTTPRequest(.post, try HTTPURL(url), body: body), headers)
  }

  private func send(_ request: HTTPRequest, _ headers: [(String, String)]) async throws -> Answer {
    var request = request
    request.headers = headers.map { (name: $0.0, value: $0.1) }
    let response = try await client.send(request)
    return Answer(
      status: response.status, body: String(decoding: response.body, as: UTF8.self),
      requestID: response.headers["X-Request-Id"])
  }
}
