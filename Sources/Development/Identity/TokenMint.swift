// Tokens for developers, in the shape of the ones that services believe.

import Contracts

struct TokenMint: Sendable, Equatable {
  let issuer: String
  let audience: String
  /// As long as the tokens of the seeds' system, and never longer than a day: such tokens end up in shell histories.
  let lifetimeSeconds: Int64

  static let usualLifetime: Int64 = 900
  static let longestLifetime: Int64 = 86_400
  static let usualIssuer = "http://localhost:3001"
  static let usualAudience = "mana"

  func token(
    for user: Identifier, email: String? = nil, by key: borrowing SigningKey, now: Instant
  ) throws(SigningKey.Problem) -> String {
    let seconds = now.milliseconds / 1000
    var claims: [(String, JSONValue)] = [
      ("iss", .string(issuer)), ("aud", .string(audience)), ("sub", .string(user.text)),
      ("iat", .number(JSONNumber(Int(seconds)))), ("exp", .number(JSONNumber(Int(seconds + lifetimeSeconds)))),
      ("role", .string("user")),
    ]
    if let email { claims.append(("email", .string(email))) }
    let header = [("alg", JSONValue.string("EdDSA")), ("typ", .string("JWT")), ("kid", .string(key.id))]
    let text = Self.encoded(header) + "." + Self.encoded(claims)
    return text + "." + (try key.sign(text))
  }

  private static func encoded(_ members: [(String, JSONValue)]) -> String {
    let bytes = JSONValue.object(JSONObject(members: members)).compactBytes()
    return Base64URL.encode(bytes.span)
  }
}
