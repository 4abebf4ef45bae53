// A service as it is run: a process of its own, which the row about it starts, asks, and looks at from outside. It ends
// with this process.

import Contracts
import Foundation
import HTTPFetching
import Synchronization

final class BenchService: Sendable {
  /// From its start to its listening, all checks kept, as it says itself.
  let millisecondsToReady: Double
  /// By the listener's name.
  private let addresses: [String: String]
  private let name: String
  private let process: Int32
  private let client: HTTPClient
  private let errors: FileHandle
  private static let running = Mutex<[Int32]>([])

  static let serviceKey = "kR7vQ2nX9sLd4TzB8wYh3MfJ"

  init(_ name: String, listeners: Int, _ environment: [String: String]) throws {
    let process = Process()
    process.executableURL = Bundle.main.bundleURL.appending(path: name)
    process.environment = environment.merging(["MANA_SERVICE_KEY": Self.serviceKey]) { own, _ in own }
    process.standardInput = FileHandle.nullDevice
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let id = process.processIdentifier
    if Self.running.withLock({ running in
      running.append(id)
      return running.count == 1
    }) {
      atexit { for process in BenchService.running.withLock({ $0 }) { kill(process, SIGTERM) } }
    }
    var (text, found): (String, [(listener: String, address: String, took: Double)]) = ("", [])
    while found.count < listeners {
      let data = errors.fileHandleForReading.availableData
      guard !data.isEmpty else { throw YardstickProblem(why: "\(name) did not start: \(text)") }
      text += String(decoding: data, as: UTF8.self)
      found = text.split(separator: "\n").compactMap(Self.listening)
    }
    (self.name, self.process, self.errors) = (name, id, errors.fileHandleForReading)
    addresses = Dictionary(found.map { ($0.listener, $0.address) }) { first, _ in first }
    millisecondsToReady = found.map(\.took).max() ?? 0
    client = try HTTPClient()
    // Nobody may write into a full pipe.
    errors.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
  }

  private static func listening(_ line: Substring) -> (listener: String, address: String, took: Double)? {
    guard let said = try? JSONValue(parsing: String(line)), said["event"]?.text == "Listening.",
      let listener = said["listener"]?.text, let address = said["address"]?.text
    else { return nil }
    return (listener, address, said["took"]?.number?.double ?? 0)
  }

  // MARK: Asking

  enum Caller {
    case user(token: String)
    case service
  }

  /// The answer's body; anything but 200 is a problem of the row.
  func post(_ path: String, _ body: [UInt8], as caller: Caller) async throws -> [UInt8] {
    switch caller {
    case .user(let token): try await ask(.post, path, body, on: "public", ("Authorization", "Bearer " + token))
    case .service: try await ask(.post, path, body, on: "internal", ("X-Service-Key", Self.serviceKey))
    }
  }

  /// Its figures, by the name and labels of each series; that it is this service's is not repeated.
  func metrics() async throws -> [String: Double] {
    let page = String(decoding: try await ask(.get, "/metrics", nil, on: "internal", nil), as: UTF8.self)
    var figures: [String: Double] = [:]
    for line in page.split(separator: "\n") where !line.hasPrefix("#") {
      guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else { continue }
      let series = line[..<space].replacing("{service=\"\(name)\",", with: "{")
      figures[String(series.replacing("{service=\"\(name)\"}", with: ""))] = value
    }
    return figures
  }

  private func ask(
    _ method: HTTPMethod, _ path: String, _ body: [UInt8]?, on listener: String, _ header: (String, String)?
  ) async throws -> [UInt8] {
    guard let address = addresses[listener] else { throw YardstickProblem(why: "\(name) has no \(listener) listener") }
    let socket = address.hasPrefix("unix:") ? String(address.dropFirst(5)) : nil
    var request = HTTPRequest(method, try HTTPURL("http://" + (socket == nil ? address : "localhost") + path))
    request.unixSocket = socket
    if let body { request.body = HTTPBody(body, contentType: "application/json") }
    if let header { request.headers = [(name: header.0, value: header.1)] }
    let response = try await client.send(request)
    guard response.status == 200 else {
      throw YardstickProblem(
        why: "\(name) answered \(response.status): \(String(decoding: response.body, as: UTF8.self))")
    }
    return response.body
  }

  // MARK: Looking at it

  /// What it has in memory now, and the most that it ever had.
  func memoryKiB() throws -> (now: Int, peak: Int) {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    func figure(_ name: String) throws -> Int {
      let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
      guard let figure = line?.split(separator: " ").compactMap({ Int($0) }).first else {
        throw YardstickProblem(why: "\(self.name) is gone")
      }
      return figure
    }
    return (try figure("VmRSS"), try figure("VmHWM"))
  }
}
