// The cases of the v1 grant file.

import Contracts
import Cryptography
import Grants
import Secrets

struct GrantV1Cases {
  let former: FormerFile
  let keys: ThrowAwayKeys
  private let ids = ["notes:n1", "tasks:t1"]
  private let missionKey: PublishedBytes

  init(former: FormerFile, keys: ThrowAwayKeys) throws {
    self.former = former
    self.keys = keys
    missionKey = try Self.missionKey(Material.mission, ["notes", "tasks"], ["notes:n1", "tasks:t1"])
  }

  func groups() throws -> [Group] {
    let base = try grant("an ordinary grant", keys["a"])
    return [
      try issuing("a", lifetimes()), try issuing("c", [("3072 bits", ["KeySize"], nil)]),
      try issuing("d", [("4096 bits", ["KeySize"], nil)]),
      opening(
        ["a"],
        spellings(base) + edits(base) + expiries(base) + malformed(base) + (try lengths()) + (try wraps(base))
          + orders(base)),
      opening(
        ["b", "a"],
        [
          valid("the second key opens it", ["SeveralKeys"], base),
          valid("the first key opens it", ["SeveralKeys"], try grant("the first key opens it", keys["b"])),
          invalid(
            "none of the keys opens it", ["SeveralKeys", "Wrap"], try grant("none of the keys opens it", keys["c"]),
            "wrap-rejected"),
        ]),
      opening(["c"], [valid("opening with 3072 bits", ["KeySize"], try grant("opening with 3072 bits", keys["c"]))]),
      opening(["d"], [valid("opening with 4096 bits", ["KeySize"], try grant("opening with 4096 bits", keys["d"]))]),
      opening(
        [],
        [
          invalid("no key, a good grant", ["NotConfigured"], base, "not-configured"),
          invalid(
            "no key, an expired grant", ["NotConfigured", "Order"], base.edited(.remove("expiresAt")),
            "not-configured"),
          invalid("no key, no grant at all", ["NotConfigured", "Order"], .bool(true), "not-configured"),
        ]),
    ]
  }

  // MARK: Issuing

  private func lifetimes() -> [(String, [String], Double?)] {
    [
      ("no lifetime asked for: 7 days", ["Basic"], nil), ("one hour", ["Lifetime"], 3_600_000),
      ("a millisecond becomes an hour", ["Lifetime"], 1), ("a past end becomes an hour", ["Lifetime"], -5),
      ("30 days", ["Lifetime"], 2_592_000_000), ("31 days become 30", ["Lifetime"], 2_678_400_000),
      ("1e308 becomes 30 days", ["Lifetime"], 1e308), ("a part of a millisecond is cut", ["Lifetime"], 7_200_000.75),
    ]
  }

  private func issuing(_ key: String, _ cases: [(String, [String], Double?)]) throws -> Group {
    let tests = try cases.map { comment, flags, wanted in
      // Given unsorted; the grant carries them sorted.
      let (tables, ids) = (["tasks", "notes"], ["tasks:t1", "notes:n1"])
      guard let issuedAt = Instant(iso: Material.issuedAt) else { preconditionFailure("a fixed instant") }
      let grant = GrantV1(
        wrappedKey: try wrap(missionKey, keys[key], comment),
        derivation: .init(missionId: Material.mission, tables: tables, recordIds: ids), issuedAt: issuedAt.iso,
        expiresAt: GrantLifetime.expiry(issuedAt: issuedAt, wanted: wanted).iso)
      return Test(
        comment, flags,
        [
          ("masterKey", .hex(Material.master)), ("missionId", .text(Material.mission)), ("tables", .strings(tables)),
          ("recordIds", .strings(ids)), ("issuedAt", .text(Material.issuedAt)),
          ("wantedMs", wanted.map { .number(JSONNumber($0)) } ?? .null),
        ],
        .valid([("missionKey", .hex(missionKey)), ("grant", .text(grant.json.compactText()))]))
    }
    return Group(type: "GrantV1Issuing", members: [("keys", ThrowAwayKeys.json([keys[key]]))], tests: tests)
  }

  // MARK: Opening

  private func opening(_ names: [String], _ tests: [Test]) -> Group {
    Group(type: "GrantV1Opening", members: [("keys", ThrowAwayKeys.json(names.map { keys[$0] }))], tests: tests)
  }

  private func spellings(_ base: JSONValue) -> [Test] {
    let text = base["wrappedKey"]?.text ?? ""
    let bare = String(text.prefix { $0 != "=" })
    let middle = text.index(text.startIndex, offsetBy: 100)
    func spelled(_ comment: String, _ wrappedKey: String) -> Test {
      valid(comment, ["ForgivingBase64"], base.edited(.set("wrappedKey", wrappedKey)))
    }
    return [
      valid("an ordinary grant", ["Basic"], base),
      spelled("base64 without padding", bare),
      spelled("base64 with white space", " \t" + text[..<middle] + "\r\n" + text[middle...] + "\u{C}"),
      spelled("base64 whose left-over bits are not zero", FieldCases.withLooseBits(bare) + "=="),
    ]
  }

  private func edits(_ base: JSONValue) -> [Test] {
    func edited(_ comment: String, _ edits: Edit..., allowed: [String]? = nil) -> Test {
      valid(comment, ["NotAuthenticated"], base.edited(edits), allowed: allowed)
    }
    let more = ids + ["notes:n2", "journal:secret"]
    return [
      edited("the list of records widened", .set("derivation.recordIds", .strings(more)), allowed: more),
      edited("the list of records emptied", .set("derivation.recordIds", .strings([])), allowed: []),
      edited(
        "composed and decomposed names in the list",
        .set("derivation.recordIds", .strings(["notes:\(Material.composed)"])), allowed: ["notes:\(Material.composed)"]),
      edited("another mission", .set("derivation.missionId", "mission-xyz")),
      edited("another version", .set("derivation.version", "v9")),
      edited(
        "no version, mission or tables",
        .set("derivation", .object(JSONObject(members: [("recordIds", .strings(ids))])))),
      edited("a longer life", .set("expiresAt", "2099-01-01T00:00:00.000Z")),
      edited("no issuedAt", .remove("issuedAt")),
      edited("a member that nobody knows", .set("more", .number(JSONNumber(1)))),
    ]
  }

  private func expiries(_ base: JSONValue) -> [Test] {
    func at(_ comment: String, _ now: String, _ expiresAt: JSONValue?, valid isValid: Bool) -> Test {
      let grant = base.edited(expiresAt.map { .set("expiresAt", $0) } ?? .remove("expiresAt"))
      return isValid
        ? valid(comment, ["Expiry"], grant, now: now) : invalid(comment, ["Expiry"], grant, "expired", now: now)
    }
    let end = Material.expiresAt
    let wrong: [(String, JSONValue?)] = [
      ("no expiresAt", nil), ("expiresAt null", .null), ("expiresAt a number", .number(JSONNumber(4_000_000_000_000))),
      ("expiresAt digits only", .text("4000000000000")), ("expiresAt empty", .text("")),
      ("expiresAt without a zone", .text("2099-01-01T00:00:00")),
      ("expiresAt a date only", .text("2099-01-01")), ("expiresAt on 30 February", .text("2099-02-30T00:00:00Z")),
      ("expiresAt with a small z", .text("2099-01-01T00:00:00z")),
      ("expiresAt with a blank", .text("2099-01-01 00:00:00Z")),
      ("expiresAt in minute 60", .text("2099-01-01T00:60Z")), ("expiresAt a list", .strings([end])),
    ]
    return [
      at("one millisecond before the end", "2026-11-27T06:59:59.999Z", .text(end), valid: true),
      at("at the end", end, .text(end), valid: true),
      at("one millisecond behind the end", "2026-11-27T07:00:00.001Z", .text(end), valid: false),
      at("the end with an offset", end, .text("2026-11-27T08:00:00.000+01:00"), valid: true),
      at("the end with an offset, one minute too early", end, .text("2026-11-27T07:59+01:00"), valid: false),
      at("the end without seconds", end, .text("2026-11-27T07:00Z"), valid: true),
      at(
        "the end with microseconds, which are cut", "2026-11-27T07:00:00.001Z", .text("2026-11-27T07:00:00.001999Z"),
        valid: true),
      at(
        "microseconds do not reach the next millisecond", "2026-11-27T07:00:00.002Z",
        .text("2026-11-27T07:00:00.001999Z"), valid: false),
      at("24:00 is the end of the day", "2026-11-28T00:00:00.000Z", .text("2026-11-27T24:00Z"), valid: true),
    ] + wrong.map { at($0.0, Material.during, $0.1, valid: false) }
      + [
        ("the grant is a text", JSONValue.text("grant")), ("the grant is true", .bool(true)),
        ("the grant is a list", .array([])),
      ]
      .map { invalid($0.0, ["Expiry"], $0.1, "expired") }
  }

  private func malformed(_ base: JSONValue) -> [Test] {
    let text = base["wrappedKey"]?.text ?? ""
    let list: [(String, Edit)] = [
      ("base64 with a sign outside the alphabet", .set("wrappedKey", "-" + text.dropFirst())),
      ("base64 with one character too many", .set("wrappedKey", String(text.prefix { $0 != "=" }) + "AAA")),
      ("base64 with one sign of padding too few", .set("wrappedKey", String(text.dropLast()))),
      ("no wrappedKey", .remove("wrappedKey")), ("wrappedKey a number", .set("wrappedKey", .number(JSONNumber(7)))),
      ("no derivation", .remove("derivation")), ("derivation null", .set("derivation", .null)),
      ("no list of records", .remove("derivation.recordIds")),
      ("the list of records a text", .set("derivation.recordIds", "notes:n1")),
      (
        "a number among the records", .set("derivation.recordIds", .array([.text("notes:n1"), .number(JSONNumber(1))]))
      ),
    ]
    return list.map { invalid($0.0, ["Malformed"], base.edited($0.1), "malformed") }
  }

  private func lengths() throws -> [Test] {
    try [0, 16, 31, 33].map { count in
      let comment = "a wrapped key of \(count) bytes"
      return invalid(
        comment, ["Malformed"], try grant(comment, keys["a"], Material.seeded(comment, count)), "malformed")
    }
  }

  private func wraps(_ base: JSONValue) throws -> [Test] {
    let characters = Array((base["wrappedKey"]?.text ?? "").utf8)
    guard let wrapped = Base64.decodeForgiving(characters.span) else { preconditionFailure("a wrap is base64") }
    func damaged(_ comment: String, _ bytes: [UInt8]) -> Test {
      invalid(comment, ["Wrap"], base.edited(.set("wrappedKey", Base64.encode(bytes.span))), "wrap-rejected")
    }
    func made(
      _ comment: String, _ pair: ThrowAwayKeys.Pair, label: [UInt8] = [], hash: OAEPHash = .sha256,
      mgf: OAEPHash = .sha256
    ) throws -> Test {
      let wrapped = try former.wrap(missionKey, for: pair, label: label, hash: hash, mgf: mgf, comment: comment)
      return damaged(comment, wrapped)
    }
    return [
      damaged("the first bit of the wrap", [wrapped[0] ^ 0x80] + wrapped.dropFirst()),
      damaged("the last bit of the wrap", flipped(wrapped, at: -1)),
      damaged("a wrap that is one byte short", Array(wrapped.dropLast())),
      damaged("a wrap with one more byte", wrapped + [0]), damaged("a wrap behind a zero byte", [0] + wrapped),
      damaged("an empty wrap", []), damaged("a wrap of zeroes", [UInt8](repeating: 0, count: 256)),
      damaged("a wrap of ones", [UInt8](repeating: 0xFF, count: 256)),
      try made("a wrap for another key", keys["b"]),
      try made("a wrap with a label", keys["a"], label: Array("mandate/v2/grant".utf8)),
      try made("a wrap with MGF1-SHA-1", keys["a"], mgf: .sha1),
      try made("a wrap with SHA-1", keys["a"], hash: .sha1, mgf: .sha1),
    ]
  }

  private func orders(_ base: JSONValue) -> [Test] {
    let (past, noBase64) = (Edit.set("expiresAt", Material.issuedAt), Edit.set("wrappedKey", "!"))
    let (noWrap, noList) = (Edit.set("wrappedKey", "AAAA"), Edit.remove("derivation.recordIds"))
    return [
      invalid("expired before malformed", ["Order"], base.edited(past, noBase64), "expired"),
      invalid("expired before wrap-rejected", ["Order"], base.edited(past, noWrap), "expired"),
      invalid("expired before the list of records", ["Order"], base.edited(past, noList), "expired"),
      invalid("base64 before the list of records", ["Order"], base.edited(noBase64, noList), "malformed"),
      invalid("wrap-rejected before the list of records", ["Order"], base.edited(noWrap, noList), "wrap-rejected"),
    ]
  }

  // MARK: Parts

  private static func missionKey(_ mission: String, _ tables: [String], _ ids: [String]) throws -> PublishedBytes {
    try Material.hkdf(
      Material.master, salt: Array(mission.utf8),
      info: Array(canonicalScopeV1(tables: tables, recordIds: ids).utf8))
  }

  private func wrap(_ key: PublishedBytes, _ pair: ThrowAwayKeys.Pair, _ comment: String) throws -> String {
    let wrapped = try former.wrap(key, for: pair, label: [], comment: comment)
    return Base64.encode(wrapped.span)
  }

  /// A grant whose wrap is kept with the case of that comment.
  private func grant(_ comment: String, _ pair: ThrowAwayKeys.Pair, _ key: PublishedBytes? = nil) throws -> JSONValue {
    GrantV1(
      wrappedKey: try wrap(key ?? missionKey, pair, comment),
      derivation: .init(missionId: Material.mission, tables: ["notes", "tasks"], recordIds: ids),
      issuedAt: Material.issuedAt, expiresAt: Material.expiresAt
    ).json
  }

  private func valid(
    _ comment: String, _ flags: [String], _ grant: JSONValue, now: String = Material.during, allowed: [String]? = nil
  ) -> Test {
    Test(
      comment, flags, [("now", .text(now)), ("grant", .text(grant.compactText()))],
      .valid([("missionKey", .hex(missionKey)), ("allowed", .strings(allowed ?? ids))]))
  }

  private func invalid(
    _ comment: String, _ flags: [String], _ grant: JSONValue, _ reason: String, now: String = Material.during
  ) -> Test {
    Test(comment, flags, [("now", .text(now)), ("grant", .text(grant.compactText()))], .invalid(reason: reason))
  }
}
