// A database as the services find it, with real grants and real ciphertext in it, and a resolver that logs in with its
// own role. What is sealed here is sealed by the same functions that the issuer uses.

import Contracts
import Cryptography
import Foundation
import Grants
import InputResolver
import Postgres
import PostgresSupport
import Secrets
import ServiceRuntime
import Store
import StoreSupport
import Testing

@Sendable func newID() -> String { UUID().uuidString.lowercased() }

/// A resolver's pair, made once: a key takes a while.
struct Pair: Sendable {
  let publicKey: RSAPublicKey
  let keys: ResolverKeys
  /// For a process that is to read it from a file.
  let pem: [UInt8]

  static let own = Pair()
  static let other = Pair()

  private init() {
    guard let key = try? RSAPrivateKey.generate(bits: 2048), let pem = try? key.pkcs8PEM() else {
      fatalError("no key could be made")
    }
    self.pem = [UInt8](copying: pem.bytes)
    publicKey = key.publicKey()
    keys = ResolverKeys(key)
  }
}

struct World: Sendable {
  let database: PreparedDatabase
  let admin: PostgresPool
  let issuer: PostgresPool
  let pool: PostgresPool
  let metrics = MetricRegistry(service: "test")
  let workers = WorkerThreads(count: 2)

  /// `durable` for those that start the service itself.
  static func with<Value>(durable: Bool = false, _ body: (World) async throws -> Value) async throws -> Value {
    try await with(on: durable ? .durable() : .shared(), body)
  }

  /// On a cluster that a test may do anything to.
  static func with<Value>(on cluster: TemporaryCluster, _ body: (World) async throws -> Value) async throws -> Value {
    let database = try await PreparedDatabase.make(in: cluster)
    let world = World(
      database: database,
      admin: PostgresPool(try await database.superuser(), limits: PoolLimits(minimum: 0, maximum: 2)),
      issuer: PostgresPool(try await database.configuration(.issuer), limits: PoolLimits(minimum: 0, maximum: 2)),
      pool: PostgresPool(try await database.configuration(.resolver), limits: PoolLimits(minimum: 0, maximum: 4)))
    let result: Result<Value, any Error>
    do { result = .success(try await body(world)) } catch { result = .failure(error) }
    for pool in [world.admin, world.issuer, world.pool] {
      let isHome = await pool.drain(deadline: .after(.seconds(30)))
      #expect(isHome, "a connection did not come home")
    }
    return try result.get()
  }

  func resolver(
    _ keys: any Unwrapper = Pair.own.keys, rules: InputResolver.Rules = .init(), pool other: PostgresPool? = nil,
    workers own: WorkerThreads? = nil, largeReads: BatchQueue = BatchQueue(.oneAtATime)
  ) -> InputResolver {
    InputResolver(
      receipts: Receipts(other ?? pool, makeBatch: newID), unwrapper: { keys }, workers: own ?? workers, rules: rules,
      clock: { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) },
      observer: ResolveObserver(MetricRegistry(service: "test"), log: Log(program: "test", level: .error)),
      largeReads: largeReads)
  }

  // MARK: People

  /// The same for a user every time, so that what is sealed apart fits together.
  static func master(_ user: String) throws -> SecretBytes {
    let bytes = SHA256.digest(Array("master key of \(user)".utf8))
    return try SecretBytes(copying: bytes.span)
  }

  func addUser(_ user: String, zeroKnowledge: Bool = false) async throws {
    try await run("INSERT INTO auth.users (id) VALUES ($1) ON CONFLICT DO NOTHING", user)
    try await run(
      """
      INSERT INTO auth.encryption_vaults (user_id, wrapped_mk, wrap_iv, recovery_wrapped_mk, recovery_iv, zero_knowledge)
      VALUES ($1, CASE WHEN $2 = 'no' THEN 'w' END, CASE WHEN $2 = 'no' THEN 'i' END, 'r', 'r', $2 = 'yes')
      """, user, zeroKnowledge ? "yes" : "no")
  }

  func run(_ sql: String, _ values: String...) async throws {
    let statement = Statement(sql, values.map { _ in .text }, reuse: .once)
    _ = try await admin.query(statement.bind(values.map { .text($0) }))
  }

  func texts(_ sql: String) async throws -> [String] {
    try await admin.query(Statement(sql, reuse: .once).bind()).map { try $0.get(0) }
  }

  /// Every row of a user's log, in its order: `record status reason of`.
  func log(_ user: String) async throws -> [String] {
    try await texts(
      """
      SELECT concat_ws(' ', record_id, status, reason, of_seq) FROM mana_ai.decrypt_audit WHERE user_id = '\(user)'
      ORDER BY seq
      """)
  }

  // MARK: Grants

  struct Issued: Sendable {
    let id: String
    let json: JSONValue
  }

  /// `table:id` each. `pair` is whose public key it is wrapped for; the row names the own one all the same.
  func addGrant(
    _ user: String, _ mission: String, _ records: [String], pair: Pair = .own, issued: String = "-1 minute",
    edited: Bool = false
  ) async throws -> Issued {
    let times = try await admin.query(
      Statement(
        "SELECT mana_ai.instant_millis(t), mana_ai.instant_millis(t + '7 days') "
          + "FROM (SELECT date_trunc('milliseconds', now() + '\(issued)'::interval) AS t) AS x", reuse: .once
      ).bind()
    ).only()
    let (issuedAt, expiresAt): (String, String) = (try times.get(0), try times.get(1))
    let claims = GrantClaims(
      grantId: Identifier(newID()), keyId: Pair.own.publicKey.keyIdHex, user: Identifier(user),
      mission: Identifier(mission), scope: try Scope(of: records.map { try RecordName(joined: $0) }),
      issuedAt: try #require(Instant(iso: issuedAt)), expiresAt: try #require(Instant(iso: expiresAt)))
    let sealed = try Self.seal(claims, edited: edited, for: pair.publicKey)
    try await insert(sealed)
    return Issued(
      id: claims.grantId.text, json: GrantV2(claims: claims, wrappedKey: sealed.wrapped).json)
  }

  private struct Sealed: Sendable {
    let claims: GrantClaims
    let wrapped: [UInt8]
    let shares: [(record: RecordName, bytes: [UInt8])]
  }

  private static func seal(_ claims: GrantClaims, edited: Bool, for key: RSAPublicKey) throws -> Sealed {
    let master = try master(claims.user.text)
    var deriver = try KeyDeriver()
    let missionKey = try deriver.missionKeyV2(
      master: master, user: claims.user, mission: claims.mission, grantId: claims.grantId, scope: claims.scope)
    var cipher = try AESGCM()
    var shares: [(record: RecordName, bytes: [UInt8])] = []
    for record in claims.scope.records {
      let recordKey = try deriver.recordKey(master: master, user: claims.user, record: record)
      shares.append(
        (
          record,
          try KeyringRow.seal(
            recordKey, under: missionKey, grantId: claims.grantId, record: record, nonce: try SecureRandom.bytes(12),
            with: &cipher)
        ))
    }
    // Wrapped under other claims than the row's: what an editor of the row, who lacks the mission key, ends up with.
    let sealedClaims = GrantClaims(
      grantId: claims.grantId, keyId: key.keyIdHex, user: claims.user, mission: claims.mission, scope: claims.scope,
      issuedAt: edited ? Instant(milliseconds: claims.issuedAt.milliseconds - 1) : claims.issuedAt,
      expiresAt: claims.expiresAt)
    let wrapped = try SealedGrantV2.seal(missionKey, for: key, claims: sealedClaims).wrappedKey
    return Sealed(claims: claims, wrapped: wrapped, shares: shares)
  }

  private func insert(_ sealed: Sealed) async throws {
    let claims = sealed.claims
    let label = GrantLabel(claims).bytes
    let statement = Statement(
      """
      INSERT INTO mana_ai.grants (grant_id, user_id, mission_id, version, key_id, wrapped_key, claims, issued_at,
        expires_at, renewable_until)
      VALUES ($1, $2, $3, 'v2', $4, $5, $6, $7::text::timestamptz, $8::text::timestamptz,
        $7::text::timestamptz + interval '30 days')
      """, .text, .text, .text, .text, .bytea, .bytea, .text, .text)
    _ = try await admin.query(
      statement.bind(
        .text(claims.grantId.text), .text(claims.user.text), .text(claims.mission.text), .text(claims.keyId),
        .bytes(sealed.wrapped), .bytes(label), .text(claims.issuedAt.iso),
        .text(claims.expiresAt.iso)))
    let share = Statement(
      """
      INSERT INTO mana_ai.grant_keys (grant_id, user_id, table_name, record_id, wrapped_key) VALUES ($1, $2, $3, $4, $5)
      """, .text, .text, .text, .text, .bytea)
    for (record, bytes) in sealed.shares {
      _ = try await admin.query(
        share.bind(
          .text(claims.grantId.text), .text(claims.user.text), .text(record.table.text), .text(record.record.text),
          .bytes(bytes)))
    }
  }

  func close(_ user: String, _ mission: String) async throws {
    _ = try await GrantClosing(issuer).close(
      try UserScope(Identifier(user)), mission: Identifier(mission), reason: .user)
  }

  /// A grant of the former system, and the key that its fields are sealed under.
  static func blob(
    _ user: String, _ mission: String, _ records: [String], lasts: Int64 = 3_600_000, pair: Pair = .own
  ) throws -> JSONValue {
    let now = Int64(Date().timeIntervalSince1970 * 1000)
    let tables = Array(Set(records.map { String($0.prefix { $0 != ":" }) }))
    let key = try keyV1(user, mission)
    return try SealedGrantV1.seal(
      key, for: pair.publicKey, derivation: .init(missionId: mission, tables: tables, recordIds: records),
      issuedAt: Instant(milliseconds: now - 1000), expiresAt: Instant(milliseconds: now + lasts)
    ).json
  }

  private static func keyV1(_ user: String, _ mission: String) throws -> MissionKeyV1 {
    var deriver = try KeyDeriver()
    return try deriver.missionKeyV1(master: master(user), mission: mission, tables: ["notes"], recordIds: ["notes:x"])
  }

  // MARK: Records

  static func sealed(_ user: String, _ record: String, _ field: String, _ json: Span<UInt8>) throws -> String {
    var deriver = try KeyDeriver()
    var codec = try FieldCodec()
    let name = try RecordName(joined: record)
    let key = try deriver.recordKey(master: master(user), user: Identifier(user), record: name)
    return try codec.seal2(
      json, key: key, place: FieldPlace(user: Identifier(user), record: name, field: field),
      iv: try SecureRandom.bytes(12))
  }

  static func sealed(_ user: String, _ record: String, _ field: String, _ text: String) throws -> String {
    let json = Array(JSONValue.string(text).compactText().utf8)
    return try sealed(user, record, field, json.span)
  }

  static func sealedV1(_ user: String, _ mission: String, _ text: String) throws -> String {
    var codec = try FieldCodec()
    let json = Array(JSONValue.string(text).compactText().utf8)
    return try codec.seal1(json.span, key: keyV1(user, mission), iv: try SecureRandom.bytes(12))
  }

  /// A sealed copy of an `enc:1` field, as the issuer makes it.
  func addCopy(_ user: String, _ record: String, _ field: String, of current: String, _ text: String) async throws {
    var deriver = try KeyDeriver()
    var codec = try FieldCodec()
    let name = try RecordName(joined: record)
    let key = try deriver.recordKey(master: Self.master(user), user: Identifier(user), record: name)
    let characters = Array(current.utf8)
    let envelope = try FieldEnvelope(parsing: characters.span, as: .one)
    let json = Array(JSONValue.string(text).compactText().utf8)
    let copy = try codec.sealCopy(
      json.span, of: envelope, key: key, place: FieldPlace(user: Identifier(user), record: name, field: field),
      iv: try SecureRandom.bytes(12))
    try await addCopy(user, record, field, copy)
  }

  func addCopy(_ user: String, _ record: String, _ field: String, _ copy: SealedCopy) async throws {
    let name = try RecordName(joined: record)
    try await run(
      """
      INSERT INTO mana_ai.sealed_records (user_id, app_id, table_name, record_id, fields)
      VALUES ($1, 'notes', $2, $3, $4::jsonb)
      """, user, name.table.text, name.record.text,
      JSONValue.object(JSONObject(members: [(field, copy.json)])).compactText())
  }

  func addRecord(_ user: String, _ record: String, app: String = "notes", _ fields: [String: String]) async throws {
    let data = JSONObject(members: fields.map { ($0.key, .string($0.value)) })
    try await addRecord(user, record, app: app, json: JSONValue.object(data).compactText())
  }

  func addRecord(_ user: String, _ record: String, app: String = "notes", op: String = "insert", json: String)
    async throws
  {
    let name = try RecordName(joined: record)
    try await run(
      """
      INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id, created_at)
      VALUES ($1, $2, $3, $4, $5, $6::jsonb, 'device', clock_timestamp())
      """, app, name.table.text, name.record.text, user, op, json)
  }

  /// A note of which title and content are sealed.
  func addNote(_ user: String, _ id: String, title: String, content: String) async throws {
    try await addRecord(
      user, "notes:\(id)",
      [
        "title": try Self.sealed(user, "notes:\(id)", "title", title),
        "content": try Self.sealed(user, "notes:\(id)", "content", content),
      ])
  }
}

// MARK: Calls and answers

func request(_ user: String, _ mission: String, _ grant: JSONValue, _ inputs: [ResolveCall.InputRef])
  -> ResolveCall.Request
{
  ResolveCall.Request(user: user, mission: mission, iteration: "i1", grant: grant, inputs: inputs)
}

func notes(_ ids: String...) -> [ResolveCall.InputRef] {
  ids.map { ResolveCall.InputRef(module: "notes", table: "notes", id: $0) }
}

/// What became of a mission: its grant, "id: title | content" of what is shown, "id: reason" of what is not.
struct Answer: Equatable, CustomStringConvertible {
  var grant: String?
  var outage: String?
  var inputs: [String]
  var from: Int?
  var to: Int?
  var hash: String?

  init(_ json: JSONValue) {
    (grant, outage) = (json["grant"]?.text, json["outage"]?.text)
    let shown = (json["inputs"]?.array ?? []).map {
      "\($0["id"]?.text ?? "?"): \($0["title"]?.text ?? "?") | \($0["content"]?.text ?? "?")"
    }
    inputs = shown + (json["refused"]?.array ?? []).map { "\($0["id"]?.text ?? "?"): \($0["reason"]?.text ?? "?")" }
    let receipts = json["receipts"]
    (from, to) = (receipts?["from"]?.number?.integer, receipts?["to"]?.number?.integer)
    hash = receipts?["hash"]?.text
  }

  var description: String { "\(grant ?? "-") \(outage ?? "") \(inputs)" }
}

extension InputResolver {
  /// The answers, through the call's own JSON in both directions.
  func answers(_ requests: [ResolveCall.Request]) async throws -> [Answer] {
    let body = ResolveCall(purpose: "mission-tick", requests: requests).json.compactBytes()
    let call = try ResolveCall(parsing: body.span)
    let reply = try await resolve(call)
    let bytes = reply.take()
    let json = try JSONValue(parsing: bytes.bytes, duplicateKeys: .refused)
    return (json["results"]?.array ?? []).map { Answer($0) }
  }

  func answer(_ request: ResolveCall.Request) async throws -> Answer {
    try #require(try await answers([request]).first)
  }
}
