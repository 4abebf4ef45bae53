// The cases of the v2 grant file that do not open, and the few that still do although their text was touched.

import Contracts
import Cryptography
import Grants

extension GrantV2Cases {
  func spellings(_ base: Issued) -> [Test] {
    let text = base.json.compactText()
    let turned = JSONObject((base.json.object?.members ?? []).reversed().map { ($0.key, $0.value) })
    return [
      opens("members in another order", ["Spelling"], base, text: JSONValue.object(turned).compactText()),
      opens(
        "white space between the tokens", ["Spelling"], base,
        text: " " + text.replacing(":", with: " : ", maxReplacements: 1) + "\n"),
      opens("a letter written as an escape", ["Spelling"], base, text: text.replacing("\"v2\"", with: "\"\\u00762\"")),
      opens(
        "a member that nobody knows", ["Spelling"], base,
        text: base.json.edited(.set("more", .number(JSONNumber(1)))).compactText()),
    ]
  }

  func expiries(_ base: Issued) -> [Test] {
    [
      opens("at its beginning", ["Expiry"], base, now: Material.issuedAt),
      opens("one millisecond before the end", ["Expiry"], base, now: "2026-11-27T06:59:59.999Z"),
      refuses("at the end", ["Expiry"], base, base.json, "expired", now: Material.expiresAt),
      refuses("behind the end", ["Expiry"], base, base.json, "expired", now: "2026-11-27T07:00:00.001Z"),
    ]
  }

  func claims(_ base: Issued) -> [Test] {
    let edits: [(String, Edit)] = [
      ("another grant id", .set("grantId", Material.otherGrantId)),
      ("the key id of a key that is not here", .set("keyId", keys["b"].publicKey.keyIdHex)),
      ("a key id of zeroes", .set("keyId", String(repeating: "0", count: 32))),
      ("another user", .set("derivation.userId", "user-9")),
      ("the user's id with a blank", .set("derivation.userId", Material.user + " ")),
      ("another mission", .set("derivation.missionId", "mission-xyz")),
      ("issued a millisecond later", .set("issuedAt", "2026-11-20T07:00:00.001Z")),
      ("ends a millisecond later", .set("expiresAt", "2026-11-27T07:00:00.001Z")),
      ("ends a millisecond earlier", .set("expiresAt", "2026-11-27T06:59:59.999Z")),
      ("ends in another century", .set("expiresAt", "2099-11-27T07:00:00.000Z")),
    ]
    return edits.map { refuses($0.0, ["EditedClaim"], base, base.json.edited($0.1), "wrap-rejected") }
  }

  func scopes(_ base: Issued) -> [Test] {
    func scope(_ comment: String, _ tables: [String], _ ids: [String]) -> Test {
      let json = base.json.edited(
        .set("derivation.tables", .strings(tables)), .set("derivation.recordIds", .strings(ids)))
      return refuses(comment, ["EditedScope"], base, json, "wrap-rejected")
    }
    return [
      scope("a record more", ["notes", "tasks"], ["notes:n1", "notes:n2", "tasks:t1"]),
      scope("a record less", ["notes"], ["notes:n1"]),
      scope("another record", ["notes", "tasks"], ["notes:n2", "tasks:t1"]),
      scope("a record of another table", ["notes", "task"], ["notes:n1", "task:t1"]),
      scope("a capital", ["notes", "tasks"], ["notes:N1", "tasks:t1"]),
      scope("two records joined to one", ["notes"], ["notes:n1,tasks:t1"]),
    ]
  }

  func callers(_ base: Issued) -> [Test] {
    [
      refuses("asked for another user", ["Caller"], base, base.json, "wrap-rejected", user: "user-9"),
      refuses("asked for another mission", ["Caller"], base, base.json, "wrap-rejected", mission: "mission-xyz"),
      refuses("asked for an empty user", ["Caller"], base, base.json, "wrap-rejected", user: ""),
      refuses(
        "asked for the same user in capitals", ["Caller"], base, base.json, "wrap-rejected",
        user: Material.user.uppercased()),
    ]
  }

  func wraps(_ base: Issued) throws -> [Test] {
    let wrapped = try GrantV2(base.json).wrappedKey
    func damaged(_ comment: String, _ bytes: [UInt8]) -> Test {
      let json = base.json.edited(.set("wrappedKey", Base64.encode(bytes.span)))
      return refuses(comment, ["Wrap"], base, json, "wrap-rejected")
    }
    func made(
      _ comment: String, wrapping: PublishedBytes? = nil, label: [UInt8]? = nil, hash: OAEPHash = .sha256,
      mgf: OAEPHash = .sha256
    ) throws -> Test {
      let issue = Issue(comment, ["Wrap"])
      let made = try issued(issue, for: keys["a"], wrapping: wrapping, label: label, hash: hash, mgf: mgf)
      return refuses(comment, ["Wrap"], made, made.json, "wrap-rejected")
    }
    let moved = try issued(
      Issue("the wrap of another grant", ["Wrap"]) { $0.grantId = Material.otherGrantId }, for: keys["a"])
    return [
      damaged("the first bit of the wrap", [wrapped[0] ^ 0x80] + wrapped.dropFirst()),
      damaged("the last bit of the wrap", flipped(wrapped, at: -1)),
      damaged("a wrap that is one byte short", Array(wrapped.dropLast())),
      damaged("a wrap with one more byte", wrapped + [0]), damaged("a wrap behind a zero byte", [0] + wrapped),
      damaged("an empty wrap", []), damaged("a wrap of zeroes", [UInt8](repeating: 0, count: 256)),
      damaged("a wrap of ones", [UInt8](repeating: 0xFF, count: 256)),
      refuses(
        "the wrap of another grant", ["Wrap"], base,
        base.json.edited(.set("wrappedKey", moved.json["wrappedKey"] ?? .null)), "wrap-rejected"),
      try made("a wrap without a label, as in v1", label: []),
      try made("a wrap whose label lacks the last part", label: Array(base.label.dropLast(68))),
      try made("a wrap with MGF1-SHA-1", mgf: .sha1), try made("a wrap with SHA-1", hash: .sha1, mgf: .sha1),
      try made("a wrapped key of 31 bytes", wrapping: Array(base.missionKey.dropLast())),
      try made("a wrapped key of 33 bytes", wrapping: base.missionKey + [0]),
      try made("a wrapped key of no bytes", wrapping: []),
    ]
  }

  func orders(_ base: Issued) -> [Test] {
    let late = "2099-01-01T00:00:00.000Z"
    return [
      refuses("malformed before expired", ["Order"], base, base.json.edited(.remove("keyId")), "malformed", now: late),
      refuses(
        "an edited claim before expired", ["Order"], base,
        base.json.edited(.set("expiresAt", "2026-11-20T08:00:00.000Z")),
        "wrap-rejected"),
      refuses("the caller before expired", ["Order"], base, base.json, "wrap-rejected", now: late, user: "user-9"),
      refuses(
        "malformed before the caller", ["Order"], base, base.json.edited(.set("wrappedKey", "!")), "malformed",
        user: "user-9"),
    ]
  }
}
