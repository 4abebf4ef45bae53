// What the rows `resolve` and `resolve-latency` ask for: missions of five records with four revisions, really sealed and
// granted, and the resolver's own process, which answers for them over HTTP.

import Contracts
import Cryptography
import Grants
import Postgres
import Secrets
import ServiceRuntime
import Store

struct ResolveFixture: Sendable {
  static let users = 1_024
  static let connections = 8

  let database: BenchDatabase
  /// One connection, for what SQL alone would do.
  let pool: PostgresPool
  /// By the number of the user.
  let grants: [JSONValue]
  let resolver: BenchService

  private static let made = Once<ResolveFixture>()
  static func shared() async throws -> ResolveFixture { try await made.get("resolve") { try await make() } }

  private static func make() async throws -> ResolveFixture {
    let database = try await BenchDatabase.named("resolve") { _ in }
    let pair = try RSAPrivateKey.generate(bits: 2048)
    let publicKey = pair.publicKey()
    let filling = try database.pool(nil, maximum: 1)
    try await database.script("ALTER TABLE public.sync_changes DISABLE TRIGGER sync_changes_enqueue")
    var grants: [JSONValue] = []
    for number in 0..<users { grants.append(try await fill(number, publicKey, filling)) }
    try await database.script("ALTER TABLE public.sync_changes ENABLE ALWAYS TRIGGER sync_changes_enqueue")
    try await database.script("VACUUM ANALYZE")
    try await database.script("CHECKPOINT")
    _ = await filling.drain(deadline: .after(.seconds(5)))

    return ResolveFixture(
      database: database, pool: try database.pool(.resolver, maximum: 1), grants: grants,
      resolver: try BenchService(
        "mandate-resolver", listeners: 1,
        [
          "MANDATE_DATABASE_URL": database.url(.resolver), "MANDATE_DATABASE_CONNECTIONS": "\(connections)",
          "MANA_AI_PRIVATE_KEY_PEM": try pem(pair), "MANDATE_INTERNAL_LISTEN": "unix:\(database.folder)/resolver.sock",
        ]))
  }

  /// A key that this process has made and that nobody will miss.
  private static func pem(_ key: borrowing RSAPrivateKey) throws -> String {
    let secret = try key.pkcs8PEM()
    return String(copying: try UTF8Span(validating: secret.bytes))
  }

  @Sendable static func newBatch() -> String { ChangeID(UInt128.random(in: .min ... .max)).text }

  static func user(_ number: Int) -> String { "user-\(number)" }
  static let records = (1...5).map { "n\($0)" }

  /// The body of a call for the missions of these users.
  func body(_ numbers: [Int]) -> [UInt8] {
    let inputs = Self.records.map { ResolveCall.InputRef(module: "notes", table: "notes", id: $0) }
    let requests = numbers.map { number in
      ResolveCall.Request(
        user: Self.user(number), mission: "m", iteration: "i", grant: grants[number], inputs: inputs)
    }
    return ResolveCall(purpose: "mission-tick", requests: requests).json.compactBytes()
  }

  private static let inputStart = Array("\"id\":".utf8)

  /// Fails unless every input was shown.
  func resolve(_ body: [UInt8], missions: Int) async throws {
    let answer = try await resolver.post("/internal/v1/resolve", body, as: .service)
    let shown = answer.split(separator: UInt8(ascii: "{")).count { $0.starts(with: Self.inputStart) }
    guard shown == missions * Self.records.count else {
      throw YardstickProblem(why: "a batch was answered with \(shown) inputs")
    }
  }

  // MARK: Filling

  private static func fill(_ number: Int, _ key: RSAPublicKey, _ pool: PostgresPool) async throws -> JSONValue {
    let sealed = try Sealing(number, key)
    let claims = sealed.grant.claims
    _ = try await pool.query(addingUser.bind(.text(claims.user.text)))
    _ = try await pool.query(
      addingGrant.bind(
        .text(claims.grantId.text), .text(claims.user.text), .text(claims.keyId), .bytes(sealed.grant.wrappedKey),
        .bytes(sealed.label), .text(claims.issuedAt.iso), .text(claims.expiresAt.iso)))
    _ = try await pool.query(
      addingShares.bind(
        .text(claims.grantId.text), .text(claims.user.text), .textArray(records.map(Optional.some)),
        .bytesArray(sealed.shares.map(Optional.some))))
    _ = try await pool.query(
      addingChanges.bind(
        .text(claims.user.text), .textArray(sealed.changes.map { $0.record }),
        .textArray(sealed.changes.map { $0.data })))
    return sealed.grant.json
  }

  private static let addingUser = Statement("INSERT INTO auth.users (id) VALUES ($1)", .text)
  private static let addingGrant = Statement(
    """
    INSERT INTO mana_ai.grants (grant_id, user_id, mission_id, version, key_id, wrapped_key, claims, issued_at,
      expires_at, renewable_until)
    VALUES ($1, $2, 'm', 'v2', $3, $4, $5, $6::text::timestamptz, $7::text::timestamptz,
      $6::text::timestamptz + interval '30 days')
    """, .text, .text, .text, .bytea, .bytea, .text, .text)
  private static let addingShares = Statement(
    """
    INSERT INTO mana_ai.grant_keys (grant_id, user_id, table_name, record_id, wrapped_key)
    SELECT $1, $2, 'notes', r.id, r.share FROM unnest($3, $4) AS r (id, share)
    """, .text, .text, .textArray, .byteaArray)
  private static let addingChanges = Statement(
    """
    INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id, created_at)
    SELECT 'notes', 'notes', r.id, $1, 'update', r.data::jsonb, 'device', now() + r.place * interval '1 ms'
    FROM unnest($2, $3) WITH ORDINALITY AS r (id, data, place)
    """, .text, .textArray, .textArray)
}

/// One user's grant, shares and revisions: a title and 300 bytes of content each.
private struct Sealing {
  let grant: GrantV2
  let label: [UInt8]
  var shares: [[UInt8]] = []
  var changes: [(record: String?, data: String?)] = []

  init(_ number: Int, _ resolver: RSAPublicKey) throws {
    let user = Identifier(ResolveFixture.user(number))
    let now = WallClock.system.now().microseconds / 1000
    let names = try ResolveFixture.records.map {
      RecordName(table: try TableName("notes"), record: Identifier($0))
    }
    let claims = GrantClaims(
      grantId: Identifier(ResolveFixture.newBatch()), keyId: resolver.keyIdHex, user: user, mission: Identifier("m"),
      scope: try Scope(of: names), issuedAt: Instant(milliseconds: now - 1_000),
      expiresAt: Instant(milliseconds: now + 86_400_000))
    let master = try SecureRandom.secret(32)
    var deriver = try KeyDeriver()
    var codec = try FieldCodec()
    let missionKey = try deriver.missionKeyV2(
      master: master, user: user, mission: claims.mission, grantId: claims.grantId, scope: claims.scope)
    let (title, content) = (Array("\"A title\"".utf8), Array(("\"" + String(repeating: "x", count: 300) + "\"").utf8))
    for name in names {
      let key = try deriver.recordKey(master: master, user: user, record: name)
      shares.append(
        try KeyringRow.seal(
          key, under: missionKey, grantId: claims.grantId, record: name, nonce: try SecureRandom.bytes(12),
          with: &codec.cipher))
      for _ in 0..<4 {
        let sealedTitle = try codec.seal2(
          title.span, key: key, place: FieldPlace(user: user, record: name, field: "title"),
          iv: try SecureRandom.bytes(12))
        let sealedContent = try codec.seal2(
          content.span, key: key, place: FieldPlace(user: user, record: name, field: "content"),
          iv: try SecureRandom.bytes(12))
        let data = JSONObject(members: [("title", .string(sealedTitle)), ("content", .string(sealedContent))])
        changes.append((name.record.text, JSONValue.object(data).compactText()))
      }
    }
    grant = try SealedGrantV2.seal(missionKey, for: resolver, claims: claims)
    label = GrantLabel(claims).bytes
  }
}
