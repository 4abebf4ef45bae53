// An issuer at work on a database of its own, with its own role, and everybody who deals with it: a superuser who looks
// on, a resolver with the private key, a sync server that writes the log.

import Contracts
import Cryptography
import Foundation
import Grants
import Postgres
import PostgresSupport
import Secrets
import ServiceRuntime
import Store
import StoreSupport
import Testing
import Vault

@testable import GrantIssuer

struct Office: Sendable {
  let database: PreparedDatabase
  let admin: PostgresPool
  let pool: PostgresPool
  let resolver: PostgresPool
  let issuer: Issuer

  static let kek = Base64.encode([UInt8](repeating: 0x4B, count: 32).span)
  static let otherKek = Base64.encode([UInt8](repeating: 0x4C, count: 32).span)
  static let pair = ResolverPair()

  static func with<Value>(
    road: Road = .direct, rules: IssuerRules = .generous, connections: Int = 8,
    _ body: (Office) async throws -> Value
  ) async throws -> Value {
    let database = try await PreparedDatabase.make(road: road)
    func pool(_ configuration: ConnectionConfiguration) -> PostgresPool {
      PostgresPool(configuration, limits: PoolLimits(minimum: 0, maximum: connections))
    }
    let issuing = pool(try await database.configuration(.issuer))
    let office = Office(
      database: database, admin: pool(try await database.superuser()), pool: issuing,
      resolver: pool(try await database.configuration(.resolver)),
      issuer: Issuer(
        pool: issuing, vault: Vault(try kekRing()), resolverKey: pair.publicKey, rules: rules, log: .silent))
    let result: Result<Value, any Error>
    do { result = .success(try await body(office)) } catch { result = .failure(error) }
    for pool in [office.admin, office.pool, office.resolver] {
      let isHome = await pool.drain(deadline: .after(.seconds(30)))
      #expect(isHome, "a connection did not come home")
    }
    return try result.get()
  }

  static func kekRing(current: String = kek, former: [String] = [], envV1: Bool = true) throws -> KeyEncryptionKeys {
    let (first, others) = (Array(current.utf8), Array(former.joined(separator: ",").utf8))
    let keys = try KeyEncryptionKeys(current: first.span, readsEnvironmentWraps: envV1)
    return former.isEmpty ? keys : try keys.adding(former: others.span)
  }

  /// The same office with another issuer in it.
  func issuer(
    keys: KeyEncryptionKeys? = nil, resolverKey: RSAPublicKey? = pair.publicKey, rules: IssuerRules = .generous,
    pool: PostgresPool? = nil
  ) throws -> Issuer {
    Issuer(
      pool: pool ?? self.pool, vault: Vault(try keys ?? Self.kekRing()), resolverKey: resolverKey, rules: rules,
      log: .silent)
  }

  // MARK: What stands in the database

  func script(_ sql: String) async throws {
    try await admin.withSession { session throws(PostgresError) in try await session.script(sql) }
  }

  func number(_ sql: String) async throws -> Int64 {
    try await admin.query(Statement("SELECT (\(sql))::bigint", reuse: .once).bind()).only().get(0)
  }

  func texts(_ sql: String) async throws -> [String] {
    try await admin.query(Statement(sql, reuse: .once).bind()).map { try $0.get(0) }
  }

  /// The vault's log: action/status/context.
  func lines(_ user: String) async throws -> [String] {
    try await admin.query(Self.readingLines.bind(.text(user))).map { try $0.get(0) }
  }

  /// How many rows there are of everything that the issuer can write but its log.
  func counts() async throws -> [String] {
    try await texts(
      """
      SELECT t || ' ' || (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM ' || t, false, true, '')))[1]
      FROM unnest(ARRAY['auth.users', 'auth.encryption_vaults', 'mana_ai.grants', 'mana_ai.grant_keys',
        'mana_ai.sealed_records', 'mana_ai.seal_origins', 'public.sync_changes', 'mana_ai.change_queue',
        'mana_ai.decrypt_audit']) AS t
      UNION ALL SELECT 'open ' || count(*) FROM mana_ai.grants WHERE closed_at IS NULL
      UNION ALL SELECT 'vaults ' || coalesce(md5(string_agg(v::text, ',' ORDER BY v.user_id)), '')
        FROM auth.encryption_vaults AS v
      """)
  }

  func addRecord(
    _ user: String, _ table: String, _ record: String, _ data: String = "{}", app: String? = nil, op: String = "insert",
    meta: String = "{}"
  ) async throws {
    _ = try await admin.query(
      Self.addingChange.bind(
        .text(user), .text(app ?? table), .text(table), .text(record), .json(data), .text(op), .json(meta)))
  }

  func addMission(_ user: String, _ mission: String, _ data: String = #"{"state":"active"}"#) async throws {
    try await addRecord(user, "aiMissions", mission, data, app: "ai")
  }

  /// A user with a vault and three notes, n1 to n3.
  func addUser(_ user: String) async throws -> Caller {
    let caller = try caller(user)
    let made = await issuer.initVault(of: caller)
    _ = try made.get().intoBody()
    for note in ["n1", "n2", "n3"] { try await addRecord(user, "notes", note) }
    return caller
  }

  private static let addingChange = Statement(
    """
    INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, field_meta, client_id, created_at)
    VALUES ($2, $3, $4, $1, $6, $5, $7, 'device', clock_timestamp())
    """, .text, .text, .text, .text, .jsonb, .text, .jsonb)
  private static let readingLines = Statement(
    """
    SELECT action || '/' || status || coalesce('/' || regexp_replace(context, '=[0-9a-f-]{36,64}', '=*', 'g'), '')
    FROM auth.encryption_vault_audit WHERE user_id = $1 ORDER BY created_at, action COLLATE "C"
    """, .text)
}

/// One RSA pair for all suites.
final class ResolverPair: Sendable {
  let publicKey: RSAPublicKey
  let keys: ResolverKeys

  init() {
    do {
      let key = try RSAPrivateKey.generate(bits: 2048)
      publicKey = key.publicKey()
      keys = ResolverKeys(key)
    } catch { fatalError("no RSA pair for the tests: \(error)") }
  }
}

extension IssuerRules {
  /// For tests of something else.
  static let generous: IssuerRules = {
    var rules = IssuerRules()
    rules.issuesV1 = true
    rules.keyFetches.calls = 10_000
    rules.issues.calls = 10_000
    rules.rotations.calls = 10_000
    return rules
  }()
}

extension Log {
  static let silent = Log(program: "test", level: .error, to: silentDescriptor)
  private static let silentDescriptor = unsafe open("/dev/null", O_WRONLY)
}

func caller(_ user: String) throws -> Caller {
  try #require(Caller(user: user, address: "192.0.2.1", agent: "test"))
}

func issueCall(_ json: String) throws -> IssueGrantCall {
  let body = Array(json.utf8)
  return try IssueGrantCall(body.span)
}

/// The usual wish: `records` of the table notes.
func wish(_ mission: String, _ records: [String], _ more: String = "") throws -> IssueGrantCall {
  let ids = records.map { "\"notes:\($0)\"" }.joined(separator: ",")
  return try issueCall(#"{"missionId":"\#(mission)","tables":["notes"],"recordIds":[\#(ids)]\#(more)}"#)
}

extension Result where Success == JSONValue, Failure == IssuerProblem {
  var problem: IssuerProblem? { if case .failure(let problem) = self { problem } else { nil } }
}

/// What a key reply says, for tests alone: it becomes an ordinary value here.
func json(_ reply: consuming Result<KeyReply, IssuerProblem>) throws -> JSONValue {
  let body = try reply.get().intoBody()
  return try JSONValue(parsing: body.bytes)
}

func problem(_ reply: consuming Result<KeyReply, IssuerProblem>) -> IssuerProblem? {
  switch consume reply {
  case .success: nil
  case .failure(let problem): problem
  }
}

/// The master key itself, as its owner's device has it.
func masterKey(_ reply: JSONValue) throws -> SecretBytes {
  let text = try #require(reply["masterKey"]?.text)
  let characters = Array(text.utf8)
  let bytes = Base64.decodeStrict(characters.span) ?? []
  return try SecretBytes(copying: bytes.span)
}
