// Grants of v1: what an issuer writes, and every way in which opening one ends.

import Contracts
import Cryptography
import Grants
import Secrets

enum GrantV1Vectors: OwnFormat {
  static let name = "grant-v1.1"
  static let algorithm = "mandate-v1 grant"
  static let header = [
    "GrantV1Issuing: from the inputs to the JSON text of a grant, whose wrappedKey is RSA-OAEP (SHA-256, MGF1-SHA-256,",
    "no label) of the mission key. wantedMs null stands for a request without a lifetime.",
    "GrantV1Opening: the keys of the group are tried in their order. The first thing that is wrong names the reason.",
    "The private keys are published on purpose: they are test keys and open nothing else.",
  ]
  static let notes = [
    Note("Basic", "BASIC", "An ordinary grant."),
    Note("Lifetime", "FUNCTIONALITY", "A lifetime is cut to between 1 hour and 30 days and to whole milliseconds."),
    Note("KeySize", "FUNCTIONALITY", "RSA keys of 2048, 3072 and 4096 bits."),
    Note("SeveralKeys", "FUNCTIONALITY", "A resolver with several keys tries them in order."),
    Note("NotAuthenticated", "AUTH_BYPASS", "Nothing but the 32 wrapped bytes is protected: edited claims still open."),
    Note("ForgivingBase64", "FUNCTIONALITY", "wrappedKey is read as browsers read base64."),
    Note("Expiry", "FUNCTIONALITY", "expiresAt equal to now is still valid; what is no date has expired."),
    Note("Order", "FUNCTIONALITY", "Several things are wrong; the reason is that of the first check."),
    Note("Malformed", "FUNCTIONALITY", "Base64, the length of the key, or the list of records is not as it should be."),
    Note("Wrap", "AUTH_BYPASS", "The ciphertext is damaged, of another key or made with other parameters."),
    Note("NotConfigured", "FUNCTIONALITY", "The resolver has no key. Nothing else is looked at."),
  ]
  static let groups = [
    GroupShape(
      type: "GrantV1Issuing", members: [.init("keys", ThrowAwayKeys.shape)],
      inputs: [
        .init("masterKey", .hex(bytes: 32)), .init("missionId", .text), .init("tables", .list(.text)),
        .init("recordIds", .list(.text)), .init("issuedAt", .instant), .init("wantedMs", .orNull(.number)),
      ],
      valid: [.init("missionKey", .hex(bytes: 32)), .init("grant", .text)], invalid: []),
    GroupShape(
      type: "GrantV1Opening", members: [.init("keys", ThrowAwayKeys.shape)],
      inputs: [.init("now", .instant), .init("grant", .text)],
      valid: [.init("missionKey", .hex(bytes: 32)), .init("allowed", .list(.text))],
      invalid: [.init("reason", .word(["not-configured", "expired", "malformed", "wrap-rejected"]))]),
  ]

  static func checker(for group: Members) throws -> (Members) throws -> Outcome {
    let pairs = try ThrowAwayKeys.pairs(in: group)
    let resolver = try ThrowAwayKeys.resolver(with: pairs)
    guard group.text("type") == "GrantV1Issuing" else { return { try open($0, resolver) } }
    return { test in try issue(test, pairs, resolver) }
  }

  private static func issue(
    _ test: Members, _ pairs: [ThrowAwayKeys.Pair], _ resolver: ResolverKeys
  ) throws -> Outcome {
    let masterBytes = test.bytes("masterKey")
    let master = try SecretBytes(copying: masterBytes.span)
    var deriver = try KeyDeriver()
    let key = try deriver.missionKeyV1(
      master: master, mission: test.text("missionId"), tables: test.texts("tables"), recordIds: test.texts("recordIds"))
    guard let pair = pairs.first, key.equals(test.bytes("missionKey").span) else {
      return .failed("another mission key")
    }
    let issuedAt = test.instant("issuedAt")
    let made = try SealedGrantV1.seal(
      key, for: pair.publicKey,
      derivation: .init(
        missionId: test.text("missionId"), tables: test.texts("tables"), recordIds: test.texts("recordIds")),
      issuedAt: issuedAt, expiresAt: GrantLifetime.expiry(issuedAt: issuedAt, wanted: test.number("wantedMs")))
    let written = try JSONValue(parsing: test.text("grant"))
    // The wrap is random; everything else must be the same text.
    let same = made.json.edited(.set("wrappedKey", written["wrappedKey"] ?? .null)).compactText()
    guard JSONString(same) == JSONString(test.text("grant")) else { return .failed("another JSON text") }
    let opened = try SealedGrantV1.withOpen(written, keys: resolver, now: issuedAt) {
      $0.missionKey.equals(test.bytes("missionKey").span)
    }
    return .expect(opened, "the grant opens to another key")
  }

  private static func open(_ test: Members, _ resolver: ResolverKeys) throws -> Outcome {
    do {
      let grant = try JSONValue(parsing: test.text("grant"))
      return try SealedGrantV1.withOpen(grant, keys: resolver, now: test.instant("now")) { open in
        guard test.isValid else { return .failed("it opened") }
        guard open.missionKey.equals(test.bytes("missionKey").span) else { return .failed("another mission key") }
        let allowed = test.texts("allowed").allSatisfy { name in
          let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
          return parts.count == 2 && open.allows(table: parts[0], record: parts[1])
        }
        return .expect(allowed && !open.allows(table: "notes", record: "never-granted"), "another allowlist")
      }
    } catch GrantFailure.refused(let reason) {
      return .expect(!test.isValid && reason.rawValue == test.text("reason"), "refused: \(reason.rawValue)")
    }
  }

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    try GrantV1Cases(former: former, keys: keys).groups()
  }
}
