// Everything that can be changed about a grant, changed; and everything it could be shown to.

import Contracts
import Cryptography
import Grants

enum GrantAttempts {
  static func run(_ issued: IssuedGrant, _ world: borrowing World, _ stage: inout Stage) throws {
    stage.chapter("Somebody edits the grant on the mission")
    let claims = issued.grant.claims
    let later = Instant(milliseconds: claims.expiresAt.milliseconds + 30 * 86_400_000)
    let edits: [(String, String, [String], JSONValue)] = [
      ("expiry moved by 30 days", "wrap-rejected", ["expiresAt"], .string(later.iso)),
      ("issue date moved", "wrap-rejected", ["issuedAt"], .string(Instant(milliseconds: 0).iso)),
      ("another user named", "wrap-rejected", ["derivation", "userId"], .string(world.stranger.text)),
      ("another mission named", "wrap-rejected", ["derivation", "missionId"], .string("read-everything")),
      ("another grant id", "wrap-rejected", ["grantId"], .string("5e8f3c9a-0000-4000-8000-00000000da7b")),
      ("another key id", "wrap-rejected", ["keyId"], .string(String(repeating: "0", count: 32))),
      ("expiry spelled another way", "malformed", ["expiresAt"], .string("2030-01-01T00:00:00+00:00")),
      ("version lowered to v1", "malformed", ["derivation", "version"], .string("v1")),
    ]
    for (what, reason, path, value) in edits {
      attempt(what, reason, issued.json.replacing(path, value), issued, world, &stage)
    }
    let widened = try Scope(of: claims.scope.records + [world.diary])
    let wider = issued.json.replacing(["derivation", "tables"], .array(widened.tables.map(JSONValue.string)))
      .replacing(["derivation", "recordIds"], .array(widened.recordIds.map(JSONValue.string)))
    attempt("scope widened by \(world.diary.joined)", "wrap-rejected", wider, issued, world, &stage)
    var wrap = issued.grant.wrappedKey
    wrap[100] ^= 1
    attempt(
      "one bit of the wrap", "wrap-rejected",
      issued.json.replacing(["wrappedKey"], .string(Base64.encode(wrap.span))), issued, world, &stage)
    try others(issued, world, &stage)
  }

  private static func others(_ issued: IssuedGrant, _ world: borrowing World, _ stage: inout Stage) throws {
    stage.chapter("Somebody else uses the grant, or uses it too late")
    attempt("shown by another user", "wrap-rejected", issued.json, issued, world, &stage, user: world.stranger)
    attempt(
      "carried by another mission", "wrap-rejected", issued.json, issued, world, &stage,
      mission: Identifier("read-everything"))
    attempt("at its expiry", "expired", issued.json, issued, world, &stage, now: issued.grant.claims.expiresAt)
    let strangersPair = ResolverKeys(try RSAPrivateKey.generate(bits: 2048))
    attempt("to another resolver", "wrap-rejected", issued.json, issued, world, &stage, keys: strangersPair)
    attempt("to a resolver without a key", "not-configured", issued.json, issued, world, &stage, keys: ResolverKeys())
    let forged = try forgery(issued, world)
    let outcome = IssuedGrant.read(
      world.note, "title", of: JSONObject(), through: forged.json, row: issued.keyring[world.note], keys: world.keys,
      user: world.user, mission: world.mission, now: world.now)
    stage.expect(
      "ciphertext-tampered-or-wrong-key",
      from: "a grant that anyone can wrap for the public key: it unwraps, and opens no keyring", got: outcome.word)
  }

  /// A wrap of 32 random bytes with honest claims. The public key is public, so this can always be made.
  private static func forgery(_ issued: IssuedGrant, _ world: borrowing World) throws -> GrantV2 {
    let guess = try SecureRandom.bytes(32)
    let label = GrantLabel(issued.grant.claims).bytes
    return GrantV2(
      claims: issued.grant.claims, wrappedKey: try world.resolver.encryptOAEP(guess.span, label: label.span))
  }

  private static func attempt(
    _ what: String, _ reason: String, _ json: JSONValue, _ issued: IssuedGrant, _ world: borrowing World,
    _ stage: inout Stage, user: Identifier? = nil, mission: Identifier? = nil, now: Instant? = nil,
    keys: ResolverKeys? = nil
  ) {
    let outcome = IssuedGrant.read(
      world.note, "title", of: JSONObject(), through: json, row: issued.keyring[world.note], keys: keys ?? world.keys,
      user: user ?? world.user, mission: mission ?? world.mission, now: now ?? world.now)
    stage.expect(reason, from: what, got: outcome.word)
  }
}

extension JSONValue {
  /// The same document with one member replaced.
  func replacing(_ path: [String], _ value: JSONValue) -> JSONValue {
    guard let first = path.first, case .object(var object) = self else { return value }
    let rest = Array(path.dropFirst())
    object.set(first, (object[first] ?? .null).replacing(rest, value))
    return .object(object)
  }
}
