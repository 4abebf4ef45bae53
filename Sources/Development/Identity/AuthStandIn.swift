// `mandate-dev auth`, as far as it is no server: from a request to an answer. It stands in for the identity service of a
// real installation: keys, login, and the list of a user's spaces.

import Contracts
import Cryptography
import Identity
import Secrets
import ServiceRuntime

/// What of a request decides the answer.
struct AuthRequest: Sendable {
  var method: String
  var path: String
  /// The one `Authorization` header.
  var authorization: String?
  var body: [UInt8] = []
}

struct AuthAnswer: Sendable, Equatable {
  let status: Int
  let json: JSONValue
}

/// Everybody may log in under any e-mail address with the one throw-away password: the user's id is made of the
/// address, so it is the same each time. That is why this is in no service that ships.
final class AuthStandIn: Sendable {
  private let key: SigningKey
  /// The pair before this one, whose tokens are good until they end.
  private let former: JSONValue?
  private let document: JSONValue
  private let mint: TokenMint
  private let password: SecretBytes
  private let authority: TokenAuthority
  private let clock: WallClock
  /// For the tokens that only have to be different: session and refresh.
  private let opaque: @Sendable () throws -> String

  static let longestBody = 16 << 10

  init(
    key: consuming SigningKey, former: JSONValue? = nil, mint: TokenMint, password: consuming SecretBytes,
    clock: WallClock, opaque: @escaping @Sendable () throws -> String
  ) throws(KeySetProblem) {
    document = SigningKey.document(of: [key.published] + (former.map { [$0] } ?? []))
    self.key = key
    self.former = former
    self.mint = mint
    self.password = password
    let published = document.compactBytes()
    let keys = KnownKeys(try KeySet(parsing: published.span))
    authority = TokenAuthority(
      IdentityConfiguration(issuers: [mint.issuer], audiences: [mint.audience]), keys: keys, clock: clock,
      refused: { _ in })
    self.clock = clock
    self.opaque = opaque
  }

  /// The same desk with another pair; nil where it is the same pair. Who has a token of the old one keeps it.
  func renewed(with key: consuming SigningKey) throws -> AuthStandIn? {
    guard key.id != self.key.id else { return nil }
    let password = try Self.copy(of: password)
    return try AuthStandIn(
      key: key, former: self.key.published, mint: mint, password: password, clock: clock,
      opaque: opaque)
  }

  private static func copy(of secret: borrowing SecretBytes) throws -> SecretBytes {
    try SecretBytes(copying: secret.bytes)
  }

  func answer(_ request: AuthRequest) async throws -> AuthAnswer {
    switch (request.method, request.path) {
    // The same set under both names that services ask for.
    case ("GET", "/api/auth/jwks"), ("GET", "/api/v1/auth/jwks"): return AuthAnswer(status: 200, json: document)
    case ("POST", "/api/v1/auth/login"): return try logIn(request.body)
    case ("GET", "/api/auth/organization/list"): return await spaces(request.authorization)
    case (_, "/api/auth/jwks"), (_, "/api/v1/auth/jwks"), (_, "/api/v1/auth/login"), (_, "/api/auth/organization/list"):
      return Self.problem(405, "METHOD_NOT_ALLOWED", "this method is not allowed here")
    default: return Self.problem(404, "NOT_FOUND", "there is nothing here")
    }
  }

  /// `{user, token, accessToken, refreshToken}`: `token` is a session's and opaque, `accessToken` is the JWT.
  private func logIn(_ body: [UInt8]) throws -> AuthAnswer {
    guard body.count <= Self.longestBody, let email = Self.text("email", in: body),
      let given = Self.text("password", in: body), Self.isAddress(email)
    else { return Self.problem(400, "BAD_REQUEST", "email and password are needed") }
    let bytes = Array(given.utf8)
    guard password.equals(bytes.span) else { return Self.unauthorized }
    let user = Self.user(of: email)
    let now = Instant(milliseconds: clock.now().microseconds / 1000)
    let token = try mint.token(for: user, email: email, by: key, now: now)
    let person = JSONObject(members: [
      ("id", .string(user.text)), ("email", .string(email)), ("role", .string("user")),
    ])
    return AuthAnswer(
      status: 200,
      json: .object(
        JSONObject(members: [
          ("user", .object(person)), ("token", .string(try opaque())), ("accessToken", .string(token)),
          ("refreshToken", .string(try opaque())),
        ])))
  }

  /// `[{id, name, metadata}]`: everybody has one space, the personal one.
  private func spaces(_ authorization: String?) async -> AuthAnswer {
    do throws(Unauthenticated) {
      let user = try await authority.principal(authorization: authorization).user
      let space = JSONObject(members: [
        ("id", .string("space-" + user.text)), ("name", .string("Personal")),
        ("metadata", .object(JSONObject(members: [("type", .string("personal"))]))),
      ])
      return AuthAnswer(status: 200, json: .array([.object(space)]))
    } catch {
      return Self.unauthorized
    }
  }

  // MARK: Small things

  static func user(of email: String) -> Identifier {
    Identifier("user-" + Hex.encode(SHA256.digest(Array(email.lowercased().utf8)).prefix(16)))
  }

  private static func isAddress(_ text: String) -> Bool {
    text.utf8.count <= 254 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && text.split(separator: "@").count == 2
  }

  private static func text(_ name: String, in body: [UInt8]) -> String? {
    do {
      return try JSONValue(parsing: body.span, duplicateKeys: .refused)[name]?.text
    } catch {
      return nil
    }
  }

  private static var unauthorized: AuthAnswer {
    let message = JSONValue.string("authentication is needed")
    return AuthAnswer(
      status: 401,
      json: .object(
        JSONObject(members: [
          ("error", message), ("code", .string("UNAUTHORIZED")), ("statusCode", .number(JSONNumber(401))),
          ("message", message),
        ])))
  }

  private static func problem(_ status: Int, _ code: String, _ sentence: String) -> AuthAnswer {
    AuthAnswer(
      status: status, json: .object(JSONObject(members: [("error", .string(sentence)), ("code", .string(code))])))
  }
}
