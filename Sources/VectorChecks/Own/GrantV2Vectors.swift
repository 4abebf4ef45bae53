// Grants of v2: what an issuer writes, and every way in which the opening of the JSON ends.

import Contracts
import Cryptography
import Grants
import Secrets

enum GrantV2Vectors: OwnFormat {
  static let name = "grant-v2.1"
  static let algorithm = "mandate-v2 grant"
  static let header = [
    "GrantV2Issuing: from the inputs to the JSON text of a grant for the group's first key. wrappedKey is RSA-OAEP",
    "(SHA-256, MGF1-SHA-256) of the mission key under the label; it is random, everything else in the text is not.",
    "GrantV2Opening: the keys of the group, the user and mission that the caller works for, and a clock. The order is",
    "configuration, shape, unwrap, user and mission, expiry; the first thing that is wrong names the reason.",
    "The private keys are published on purpose: they are test keys and open nothing else.",
  ]
  static let notes = [
    Note("Basic", "BASIC", "Ordinary grants."),
    Note("Lifetime", "FUNCTIONALITY", "A lifetime is cut to between 1 hour and 30 days and to whole milliseconds."),
    Note("KeySize", "FUNCTIONALITY", "RSA keys of 2048, 3072 and 4096 bits."),
    Note("SeveralKeys", "FUNCTIONALITY", "The key id picks the key; no other is tried."),
    Note("HardNames", "FUNCTIONALITY", "Scopes and identifiers that are easily got wrong."),
    Note("Spelling", "FUNCTIONALITY", "The same JSON values in another text."),
    Note("Expiry", "FUNCTIONALITY", "A grant ends at expiresAt: equal to now has expired."),
    Note("EditedClaim", "AUTH_BYPASS", "One claim was changed for another good one: the unwrap fails."),
    Note("EditedScope", "AUTH_BYPASS", "The scope was widened, narrowed or exchanged."),
    Note("Malformed", "FUNCTIONALITY", "A member is missing, of another type, or not in its one spelling."),
    Note("Wrap", "AUTH_BYPASS", "The ciphertext is damaged, moved, of another key or made with other parameters."),
    Note("Caller", "AUTH_BYPASS", "A good grant of another user or mission than the caller's."),
    Note("Order", "FUNCTIONALITY", "Several things are wrong; the reason is that of the first check."),
    Note("NotConfigured", "FUNCTIONALITY", "The resolver has no key. Nothing else is looked at."),
  ]
  static let groups = [
    GroupShape(
      type: "GrantV2Issuing", members: [.init("keys", ThrowAwayKeys.shape)],
      inputs: [
        .init("masterKey", .hex(bytes: 32)), .init("userId", .text), .init("missionId", .text), .init("grantId", .text),
        .init("records", .list(Names.recordShape)), .init("issuedAt", .instant), .init("wantedMs", .orNull(.number)),
      ],
      valid: [.init("missionKey", .hex(bytes: 32)), .init("label", .hex), .init("grant", .text)], invalid: []),
    GroupShape(
      type: "GrantV2Opening", members: [.init("keys", ThrowAwayKeys.shape)],
      inputs: [.init("now", .instant), .init("userId", .text), .init("missionId", .text), .init("grant", .text)],
      valid: [.init("label", .hex), .init("missionKey", .hex(bytes: 32))],
      invalid: [.init("reason", .word(["not-configured", "expired", "malformed", "wrap-rejected"]))]),
  ]

  static func checker(for group: Members) throws -> (Members) throws -> Outcome {
    let pairs = try ThrowAwayKeys.pairs(in: group)
    let resolver = try ThrowAwayKeys.resolver(with: pairs)
    guard group.text("type") == "GrantV2Issuing" else { return { try open($0, resolver) } }
    return { test in try issue(test, pairs, resolver) }
  }

  private static func issue(
    _ test: Members, _ pairs: [ThrowAwayKeys.Pair], _ resolver: ResolverKeys
  ) throws -> Outcome {
    guard let pair = pairs.first else { return .failed("the group has no key") }
    let (user, mission) = (
      try Identifier(checking: test.text("userId")), try Identifier(checking: test.text("missionId"))
    )
    let (grantId, scope) = (Identifier(test.text("grantId")), try Scope(of: Names.records(test.list("records"))))
    let issuedAt = test.instant("issuedAt")
    let claims = GrantClaims(
      grantId: grantId, keyId: pair.publicKey.keyIdHex, user: user, mission: mission, scope: scope,
      issuedAt: issuedAt, expiresAt: GrantLifetime.expiry(issuedAt: issuedAt, wanted: test.number("wantedMs")))
    let masterBytes = test.bytes("masterKey")
    let master = try SecretBytes(copying: masterBytes.span)
    var deriver = try KeyDeriver()
    let key = try deriver.missionKeyV2(master: master, user: user, mission: mission, grantId: grantId, scope: scope)
    guard key.equals(test.bytes("missionKey").span) else { return .failed("another mission key") }
    guard GrantLabel(claims).bytes == test.bytes("label") else { return .failed("another label") }
    let made = try SealedGrantV2.seal(key, for: pair.publicKey, claims: claims)
    let written = try JSONValue(parsing: test.text("grant"))
    // The wrap is random; everything else must be the same text.
    let same = made.json.edited(.set("wrappedKey", written["wrappedKey"] ?? .null)).compactText()
    guard JSONString(same) == JSONString(test.text("grant")) else { return .failed("another JSON text") }
    let opened = try SealedGrantV2.withOpen(written, keys: resolver, user: user, mission: mission, now: issuedAt) {
      $0.label.bytes == test.bytes("label")
    }
    let unwrapped = try resolver.unwrapV2(wrapped: GrantV2(written).wrappedKey, label: GrantLabel(claims))
    return .expect(opened && unwrapped.equals(test.bytes("missionKey").span), "the grant opens to another key")
  }

  private static func open(_ test: Members, _ resolver: ResolverKeys) throws -> Outcome {
    do {
      let grant = try JSONValue(parsing: test.text("grant"))
      let label = try SealedGrantV2.withOpen(
        grant, keys: resolver, user: Identifier(test.text("userId")), mission: Identifier(test.text("missionId")),
        now: test.instant("now")
      ) { $0.label }
      guard test.isValid else { return .failed("it opened") }
      guard label.bytes == test.bytes("label") else { return .failed("another label") }
      // The opening lends no key; the unwrap beneath it does.
      let key = try resolver.unwrapV2(wrapped: GrantV2(grant).wrappedKey, label: label)
      return .expect(key.equals(test.bytes("missionKey").span), "another mission key")
    } catch GrantFailure.refused(let reason) {
      return .expect(!test.isValid && reason.rawValue == test.text("reason"), "refused: \(reason.rawValue)")
    }
  }

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    let cases = GrantV2Cases(former: former, keys: keys)
    return [
      try cases.issuing("a", cases.issuedWithA()),
      try cases.issuing("c", [.init("issued for 3072 bits", ["KeySize"])]),
      try cases.issuing("d", [.init("issued for 4096 bits", ["KeySize"])]),
      try cases.opening(["a"], cases.openedWithA()),
      try cases.opening(["b", "a", "c"], cases.openedWithSeveral()),
      try cases.opening(["c"], cases.openedWithOne("c", "3072 bits")),
      try cases.opening(["d"], cases.openedWithOne("d", "4096 bits")),
      try cases.opening([], cases.openedWithNone()),
    ]
  }
}
