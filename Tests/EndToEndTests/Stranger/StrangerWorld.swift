// Both services as built programs on one database, and the stranger: a program of node's own libraries that plays the
// user's device, the runner and the reader of the audit.

import Contracts
import Cryptography
import Foundation
import PostgresSupport
import Secrets
import ServiceProcesses
import Store
import StoreSupport
import Testing

final class StrangerWorld: Sendable {
  let issuer: IssuerProcess
  let resolver: ResolverService
  let privateKey: String
  private let folder: String

  /// With a resolver that has the private half of the issuer's public key.
  static func with<Value>(
    issuer settings: [String: String] = [:], resolver others: [String: String] = [:],
    _ body: (StrangerWorld) async throws -> Value
  ) async throws -> Value {
    let key = try RSAPrivateKey.generate(bits: 2048)
    let pem = try key.pkcs8PEM()
    let text = String(decoding: [UInt8](copying: pem.bytes), as: UTF8.self)
    let environment = ["MANDATE_ISSUE_V1": "true", "MANA_AI_PUBLIC_KEY_PEM": key.publicKey().pem()]
    return try await IssuerProcess.with(environment.merging(settings) { $1 }) { issuer in
      let keyFile = issuer.folder + "/private.pem"
      try text.write(toFile: keyFile, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keyFile)
      let resolver = try await ResolverService(issuer.database, key: keyFile, others)
      let result: Result<Value, any Error>
      do {
        result = .success(
          try await body(
            StrangerWorld(issuer: issuer, resolver: resolver, privateKey: keyFile, folder: issuer.folder)))
      } catch { result = .failure(error) }
      #expect(try await resolver.stop() == 0)
      return try result.get()
    }
  }

  private init(issuer: IssuerProcess, resolver: ResolverService, privateKey: String, folder: String) {
    (self.issuer, self.resolver, self.privateKey, self.folder) = (issuer, resolver, privateKey, folder)
  }

  // MARK: The stranger

  /// One of its commands, as this user.
  func stranger(_ user: String, _ arguments: [String], input: String = "") async throws -> Program.Outcome {
    try await Program.run(
      "node", [Program.root.appending(path: "Tests/Independent/stranger.mjs").path] + arguments,
      environment: [
        "ISSUER": issuer.forUsers, "TOKEN": try issuer.signer.token(user), "RESOLVER": resolver.address,
        "SERVICE_KEY": ResolverService.serviceKey,
      ], input: input)
  }

  /// What a command says that must work.
  @discardableResult
  func told(_ user: String, _ arguments: [String], input: String = "") async throws -> String {
    let outcome = try await stranger(user, arguments, input: input)
    try #require(outcome.code == 0, "\(arguments): \(outcome.errors)")
    return outcome.output
  }

  /// The stranger seals, and what it prints is put into the log.
  @discardableResult
  func write(_ user: String, _ arguments: String...) async throws -> String {
    let changes = try await told(user, ["write"] + arguments)
    let seeded = try await seed(changes)
    try #require(seeded.code == 0, "\(seeded.errors)")
    return changes
  }

  func seed(_ changes: String) async throws -> Program.Outcome {
    try await Program.run(
      Program.built("mandate-dev"), ["seed"],
      environment: [
        "MANDATE_DATABASE_URL": try await issuer.database.url(StoreRole.sync.rawValue, .direct)
      ], input: changes)
  }

  /// The path of a file with this text.
  func file(_ name: String, _ text: String) throws -> String {
    try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
    return folder + "/" + name
  }

  /// Consent, and the file with the grant.
  func grant(_ user: String, _ arguments: String...) async throws -> String {
    try file("grant-\(UUID().uuidString)", await told(user, ["grant"] + arguments))
  }

  /// One mission's answer.
  func tick(_ user: String, _ arguments: String...) async throws -> Tick {
    let results = try JSONValue(parsing: await told(user, ["tick"] + arguments))["results"]?.array
    return Tick(json: try #require(results?.first))
  }

  struct Tick {
    let json: JSONValue

    var grant: String? { json["grant"]?.text }
    /// `id title: content` and `id reason`, in their order.
    var inputs: [String] { each("inputs", ["id", "title", "content"]) }
    var refused: [String] { each("refused", ["id", "reason"]) }
    var head: String? { json["receipts"]?["hash"]?.text }

    private func each(_ list: String, _ members: [String]) -> [String] {
      (json[list]?.array ?? []).map { item in members.map { item[$0]?.text ?? "?" }.joined(separator: " | ") }
    }
  }
}

/// The built resolver on TCP.
final class ResolverService: Sendable {
  static let serviceKey = "gQ3mZr8vXc1LpT6wYk9uBf2sHn5jEa7d"
  let address: String
  private let service: BuiltService

  init(_ database: PreparedDatabase, key: String, _ environment: [String: String]) async throws {
    let settings = [
      "MANDATE_INTERNAL_LISTEN": "127.0.0.1:0", "MANA_SERVICE_KEY": Self.serviceKey,
      "MANDATE_DATABASE_URL": try await database.url(StoreRole.resolver.rawValue, .direct),
      "MANA_AI_PRIVATE_KEY_PEM_FILE": key,
    ]
    service = try BuiltService("mandate-resolver", settings.merging(environment) { $1 })
    address = "http://" + (try await service.line("Listening.")["address"]?.text ?? "")
  }

  /// Its exit code.
  func stop() async throws -> Int32 {
    service.signal(SIGTERM)
    return try await service.end()
  }
}
