// The issuer as its operator runs it: the built program, a database of its own with the issuer's own role, settings by
// environment, and real sockets.

import Contracts
import Cryptography
import Foundation
import Grants
import HTTPFetching
import Postgres
import PostgresSupport
import Secrets
import ServiceProcesses
import Store
import StoreSupport
import Testing

final class IssuerProcess: Sendable {
  let database: PreparedDatabase
  let admin: PostgresPool
  let folder: String
  let signer: TokenSigner
  let client: HTTPClient
  let forUsers: String
  let inside: String
  /// From its start to its listening, all checks kept.
  let millisecondsToReady: Double
  /// What opens the grants that it issues.
  let resolver: ResolverKeys
  private let service: BuiltService
  /// The key encryption key as its setting gives it.
  let kek: String
  /// Lines that it said before it was listening.
  private let saidBefore: Int

  static let serviceKey = "kR7vQ2nX9sLd4TzB8wYh3MfJ"

  static func with<Value>(
    _ environment: [String: String] = [:], road: Road = .direct, _ body: (IssuerProcess) async throws -> Value
  ) async throws -> Value {
    let issuer = try await IssuerProcess(environment, road)
    let result: Result<Value, any Error>
    do { result = .success(try await body(issuer)) } catch { result = .failure(error) }
    await issuer.stop()
    issuer.client.close()
    let isHome = await issuer.admin.drain(deadline: .after(.seconds(20)))
    #expect(isHome, "a connection did not come home")
    return try result.get()
  }

  private init(_ environment: [String: String], _ road: Road) async throws {
    let cluster = try await TemporaryCluster.durable()
    let database = try await PreparedDatabase.make(in: cluster)
    let folder = FileManager.default.temporaryDirectory.path + "/mandate-issuer-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    let signer = try TokenSigner()
    try signer.keySet.write(toFile: folder + "/jwks.json", atomically: true, encoding: .utf8)
    let (pem, keys) = try Self.makePair()
    let kekBytes = try SecureRandom.bytes(32)
    let kek = Base64.encode(kekBytes.span)
    let settings = [
      "MANDATE_DATABASE_URL": try await database.url(StoreRole.issuer.rawValue, road),
      "MANDATE_DATABASE_POOLER": road == .pooler ? "transaction" : "none",
      "MANA_AUTH_KEK": kek, "MANDATE_JWKS_FILE": folder + "/jwks.json",
      "MANA_AI_PUBLIC_KEY_PEM": pem, "MANDATE_PUBLIC_LISTEN": "127.0.0.1:0", "MANDATE_INTERNAL_LISTEN": "127.0.0.1:0",
      "MANA_SERVICE_KEY": Self.serviceKey, "MANDATE_TOKEN_ISSUER": TokenSigner.issuer,
    ].merging(environment) { $1 }
    service = try BuiltService("mandate-issuer", settings)
    let outside = try await service.line("Listening.")
    let within = try await service.line("Listening.")
    guard let outer = outside["address"]?.text, let inner = within["address"]?.text else {
      throw SupportError.failed("the issuer did not start: \(service.said)")
    }
    (forUsers, inside) = ("http://\(outer)", "http://\(inner)")
    millisecondsToReady = within["took"]?.number?.double ?? 0
    saidBefore = service.said.count
    (self.database, self.folder, self.signer) = (database, folder, signer)
    admin = PostgresPool(try await database.superuser(), limits: PoolLimits(minimum: 0, maximum: 4))
    client = try HTTPClient()
    resolver = keys
    self.kek = kek
  }

  /// What it wrote after it was listening, to its end. After it was told to stop.
  func restOfLog() async -> [String] {
    while await service.nextLine() != nil {}
    return Array(service.said.dropFirst(saidBefore))
  }

  private static func makePair() throws -> (pem: String, keys: ResolverKeys) {
    let key = try RSAPrivateKey.generate(bits: 2048)
    let pem = key.publicKey().pem()
    return (pem, ResolverKeys(key))
  }

  var identifier: Int32 { service.pid }
  func signal(_ number: Int32) { service.signal(number) }

  /// Waits until it has ended; its exit code, or 128 and the signal.
  func end() async -> Int32 {
    do { return try await service.end() } catch {
      Issue.record("\(error)")
      return -1
    }
  }

  private func stop() async {
    signal(SIGKILL)
    _ = await end()
    do { try FileManager.default.removeItem(atPath: folder) } catch { print("left behind: \(folder)") }
  }

  // MARK: Asking

  struct Answer: Sendable {
    let status: Int
    let body: String
    let headers: HTTPHeaders

    var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
    var code: String? { json["code"]?.text }
  }

  func ask(
    _ method: HTTPMethod, _ path: String, _ body: String? = nil, as user: String? = nil,
    headers: [(String, String)] = [], inside: Bool = false
  ) async throws -> Answer {
    try await ask(method, path, bytes: body.map { Array($0.utf8) }, as: user, headers: headers, inside: inside)
  }

  func ask(
    _ method: HTTPMethod, _ path: String, bytes: [UInt8]?, as user: String? = nil, headers: [(String, String)] = [],
    inside: Bool = false
  ) async throws -> Answer {
    let url = try HTTPURL((inside ? self.inside : forUsers) + path)
    var request = HTTPRequest(method, url, body: bytes.map { HTTPBody($0, contentType: "application/json") })
    request.headers = headers.map { (name: $0.0, value: $0.1) }
    if let user { request.headers.append((name: "Authorization", value: "Bearer \(try signer.token(user))")) }
    let response = try await client.send(request)
    return Answer(
      status: response.status, body: String(decoding: response.body, as: UTF8.self), headers: response.headers)
  }

  // MARK: Looking on

  func texts(_ sql: String) async throws -> [String] {
    try await admin.query(Statement(sql, reuse: .once).bind()).map { try $0.get(0) }
  }

  func script(_ sql: String) async throws {
    try await admin.withSession { session throws(PostgresError) in try await session.script(sql) }
  }

  /// Rows of everything that stays; what the queue holds comes and goes by itself, and refusals have their log.
  func counts() async throws -> [String] {
    try await texts(Self.counting)
  }

  private static let counting = """
    SELECT t.name || ' ' || (xpath('/row/n/text()', query_to_xml(
      'SELECT count(*) || '' '' || coalesce(md5(string_agg(x::text, '','' ORDER BY x::text)), '''') AS n FROM ' || t.name
      || ' AS x', false, true, '')))[1]
    FROM unnest(ARRAY['auth.encryption_vaults', 'mana_ai.grants', 'mana_ai.grant_keys', 'mana_ai.sealed_records',
      'mana_ai.seal_origins', 'public.sync_changes', 'mana_ai.decrypt_audit', 'mana_ai.purged_users']) AS t (name)
    """
}
