// The built resolver with a folder of keys, and calls to it over HTTP.

import Contracts
import Foundation
import HTTPFetching
import ServiceProcesses
import Store
import StoreSupport

final class ResolverProcess: Sendable {
  static let key = "gQ3mZr8vXc1LpT6wYk9uBf2sHn5jEa7d"

  struct Silence: Error {
    let event: String
    let said: [String]
  }

  private let service: BuiltService
  let folder: URL
  var keys: URL { folder.appending(path: "keys") }

  /// With a folder for keys, empty but for `pems`, given by name.
  init(
    _ database: PreparedDatabase, pems: [String: [UInt8]], _ environment: [String: String] = [:],
    built: URL = BuiltService.built
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mandate-\(UUID().uuidString.prefix(8))")
    self.folder = folder
    try FileManager.default.createDirectory(
      at: folder.appending(path: "keys"), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    for (name, pem) in pems { try Self.write(pem, to: folder.appending(path: "keys/\(name)")) }
    let settings = [
      "MANDATE_INTERNAL_LISTEN": "127.0.0.1:0", "MANA_SERVICE_KEY": Self.key,
      "MANDATE_DATABASE_URL": try await database.url(StoreRole.resolver.rawValue, .direct),
      "MANDATE_RESOLVER_KEYS": folder.appending(path: "keys").path,
    ]
    service = try BuiltService("mandate-resolver", settings.merging(environment) { $1 }, in: built)
  }

  deinit {
    service.signal(SIGKILL)
    do { try FileManager.default.removeItem(at: folder) } catch { print("left behind: \(folder.path): \(error)") }
  }

  func write(_ pem: [UInt8], _ name: String) throws { try Self.write(pem, to: keys.appending(path: name)) }

  private static func write(_ pem: [UInt8], to file: URL) throws {
    guard
      FileManager.default.createFile(atPath: file.path, contents: Data(pem), attributes: [.posixPermissions: 0o600])
    else { throw Silence(event: "a key file", said: []) }
  }

  // MARK: What it says, and orders

  @discardableResult
  func line(_ event: String, about reason: String? = nil) async throws -> JSONValue {
    try await service.line(event, about: reason)
  }

  var said: [String] { service.said }
  var pid: Int32 { service.pid }
  func signal(_ number: Int32) { service.signal(number) }

  /// Its exit code, once it has ended and said everything.
  func end() async throws -> Int32 { try await service.end() }

  /// Tells it to stop, and waits until it has.
  func stop() async throws -> Int32 {
    signal(SIGTERM)
    return try await end()
  }

  func address() async throws -> String { try await line("Listening.")["address"]?.text ?? "" }

  /// Whether it is ready, once every check that was broken has been kept again.
  func isReadyAgain(_ caller: Caller) async throws -> Bool {
    for _ in 0..<100 {
      if try await caller.get("/ready").status == 200 { return true }
      try await line("A check is kept again.")
    }
    return false
  }
}

/// Calls over HTTP.
struct Caller {
  let client: HTTPClient
  let address: String
  var socket: String?
  var key: String? = ResolverProcess.key
  var limits = HTTPLimits()

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
    (request.unixSocket, request.limits) = (socket, limits)
    if let key { request.headers = [(name: "X-Service-Key", value: key)] }
    let response = try await client.send(request)
    return (response.status, String(decoding: response.body, as: UTF8.self))
  }
}
