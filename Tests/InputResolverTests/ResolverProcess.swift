// The built resolver as an operator would run it: settings by environment, orders by signal, and what it says line by
// line.

import Contracts
import Foundation
import HTTPFetching
import PostgresSupport
import Store
import StoreSupport
import Synchronization

final class ResolverProcess: Sendable {
  static let key = "gQ3mZr8vXc1LpT6wYk9uBf2sHn5jEa7d"

  private let process: Mutex<Process>
  private let lines: Mutex<[String]> = Mutex([])
  private let arrivals: AsyncStream<String>
  private let ended: AsyncStream<Int32>
  let folder: URL
  var keys: URL { folder.appending(path: "keys") }

  /// With a folder for keys, empty but for `pems`, given by name.
  init(_ database: PreparedDatabase, pems: [String: [UInt8]], _ environment: [String: String] = [:]) async throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "mandate-\(UUID().uuidString.prefix(8))")
    let process = Process()
    process.executableURL = Bundle.main.bundleURL.appending(path: "mandate-resolver")
    let url = try await TemporaryCluster.durable().url(database: database.name, user: StoreRole.resolver.rawValue)
    process.environment = [
      "MANDATE_INTERNAL_LISTEN": "127.0.0.1:0", "MANA_SERVICE_KEY": Self.key, "MANDATE_DATABASE_URL": url,
      "MANDATE_RESOLVER_KEYS": folder.appending(path: "keys").path,
    ].merging(environment) { $1 }
    let errors = Pipe()
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    let (arrivals, arrived) = AsyncStream.makeStream(of: String.self)
    let (ended, end) = AsyncStream.makeStream(of: Int32.self)
    (self.arrivals, self.ended) = (arrivals, ended)
    process.terminationHandler = { process in
      end.yield(process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus)
      end.finish()
    }
    self.process = Mutex(process)
    try FileManager.default.createDirectory(
      at: folder.appending(path: "keys"), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    for (name, pem) in pems { try write(pem, name) }
    try self.process.withLock { try $0.run() }
    let reading = errors.fileHandleForReading
    Thread.detachNewThread {
      var rest = Data()
      while true {
        let data = reading.availableData
        if data.isEmpty { break }
        rest += data
        while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
          arrived.yield(String(decoding: rest[..<newline], as: UTF8.self))
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

  func write(_ pem: [UInt8], _ name: String) throws {
    let path = keys.appending(path: name).path
    guard FileManager.default.createFile(atPath: path, contents: Data(pem), attributes: [.posixPermissions: 0o600])
    else { throw Silence(event: "a key file", said: []) }
  }

  struct Silence: Error {
    let event: String
    let said: [String]
  }

  /// The next line of this event.
  @discardableResult
  func line(_ event: String) async throws -> JSONValue {
    for await line in arrivals {
      lines.withLock { $0.append(line) }
      let json = try JSONValue(parsing: line)
      if json["event"]?.text == event { return json }
    }
    throw Silence(event: event, said: said)
  }

  var said: [String] { lines.withLock { $0 } }

  var pid: Int32 { process.withLock { $0.processIdentifier } }

  func signal(_ number: Int32) { process.withLock { _ = kill($0.processIdentifier, number) } }

  /// Its exit code, once it has ended and said everything.
  func end() async throws -> Int32 {
    for await line in arrivals { lines.withLock { $0.append(line) } }
    for await code in ended { return code }
    throw Silence(event: "the end", said: said)
  }

  func address() async throws -> String { try await line("Listening.")["address"]?.text ?? "" }
}

/// Calls over HTTP.
struct Caller {
  let client: HTTPClient
  let address: String
  var socket: String?
  var key: String? = ResolverProcess.key

  init(_ address: String, socket: String? = nil, key: String? = ResolverProcess.key) throws {
    client = try HTTPClient()
    (self.address, self.socket, self.key) = (address, socket, key)
  }

  func get(_ path: String) async throws -> (status: Int, body: String) {
    try await send(HTTPRequest(.get, try HTTPURL("http://\(address)\(path)")))
  }

  func resolve(_ body: [UInt8]) async throws -> (status: Int, body: String) {
    try await send(
      HTTPRequest(
        .post, try HTTPURL("http://\(address)/internal/v1/resolve"),
        body: HTTPBody(body, contentType: "application/json")))
  }

  func answers(_ requests: [ResolveCall.Request]) async throws -> [Answer] {
    let call = ResolveCall(purpose: "mission-tick", requests: requests)
    let answer = try await resolve(call.json.compactBytes())
    guard answer.status == 200 else {
      throw ResolverProcess.Silence(event: "\(answer.status)", said: [answer.body])
    }
    return (try JSONValue(parsing: answer.body)["results"]?.array ?? []).map { Answer($0) }
  }

  private func send(_ request: HTTPRequest) async throws -> (status: Int, body: String) {
    var request = request
    request.unixSocket = socket
    if let key { request.headers = [(name: "X-Service-Key", value: key)] }
    let response = try await client.send(request)
    return (response.status, String(decoding: response.body, as: UTF8.self))
  }
}
