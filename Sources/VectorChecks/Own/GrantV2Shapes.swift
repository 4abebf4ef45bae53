// Grants of v2 whose shape is wrong, whatever key would open them: each member missing, of another type, or spelled
// in another way than the one that the label is made over.

import Contracts

enum GrantV2Shapes {
  typealias Case = (comment: String, edits: [Edit])

  static func malformed(_ grant: JSONValue) -> [(String, JSONValue)] {
    let roots: [(String, JSONValue)] = [
      ("null", .null), ("a text", .text("grant")), ("a list", .array([grant])),
      ("an empty object", .object(JSONObject())),
    ]
    let edited = [missing, types, versions, names, identifiers, instants, lists].joined()
    return roots + edited.map { ($0.comment, grant.edited($0.edits)) } + wrappedKeys(grant)
  }

  private static let members = [
    "wrappedKey", "keyId", "grantId", "derivation", "derivation.version", "derivation.userId", "derivation.missionId",
    "derivation.tables", "derivation.recordIds", "issuedAt", "expiresAt",
  ]

  private static let missing: [Case] = members.map { ("no \($0)", [.remove($0)]) }

  private static let types: [Case] = members.flatMap { name -> [Case] in
    [
      ("\(name) null", [.set(name, .null)]), ("\(name) a number", [.set(name, .number(JSONNumber(2)))]),
      ("\(name) in a list", [.set(name, .array([.text(name)]))]),
    ]
  }

  private static let versions: [Case] = ["v1", "v3", "V2", "v2 ", ""].map {
    ("the version \"\($0)\"", [.set("derivation.version", $0)])
  }

  private static let names: [Case] = [
    ("a grant id in capitals", [.set("grantId", Material.grantId.uppercased())]),
    ("a grant id without dashes", [.set("grantId", Material.grantId.filter { $0 != "-" })]),
    ("a grant id in braces", [.set("grantId", "{" + Material.grantId + "}")]),
    ("a grant id with a dash elsewhere", [.set("grantId", "6b1d2f0a9-3c4-4e57-8a1b-0c2d3e4f5a6b")]),
    ("a key id in capitals", [.set("keyId", String(repeating: "AB", count: 16))]),
    ("a key id of 15 bytes", [.set("keyId", String(repeating: "ab", count: 15))]),
    ("a key id of 17 bytes", [.set("keyId", String(repeating: "ab", count: 17))]),
  ]

  private static let identifiers: [Case] = Names.badIdentifiers.flatMap { comment, text -> [Case] in
    [
      ("a user id \(comment)", [.set("derivation.userId", text)]),
      ("a mission id \(comment)", [.set("derivation.missionId", text)]),
      ("a record id \(comment)", [.set("derivation.recordIds", .strings(["notes:" + text, "tasks:t1"]))]),
    ]
  }

  private static let instants: [Case] = ["issuedAt", "expiresAt"].flatMap { name -> [Case] in
    let spellings = [
      "2026-11-27T07:00:00Z", "2026-11-27T07:00:00.0000Z", "2026-11-27T07:00:00.00Z", "2026-11-27T07:00:00.000+00:00",
      "2026-11-27t07:00:00.000z", " 2026-11-27T07:00:00.000Z", "2026-11-31T07:00:00.000Z", "2026-11-26T24:00:00.000Z",
      "",
    ]
    return spellings.map { ("\(name) \"\($0)\"", [.set(name, $0)]) }
  }

  private static let lists: [Case] = [
    scope("no records", [], []), scope("records out of order", ["notes", "tasks"], ["tasks:t1", "notes:n1"]),
    scope("a record twice", ["notes", "tasks"], ["notes:n1", "notes:n1", "tasks:t1"]),
    scope("tables out of order", ["tasks", "notes"], ["notes:n1", "tasks:t1"]),
    scope("a table twice", ["notes", "notes", "tasks"], ["notes:n1", "tasks:t1"]),
    scope("a table too many", ["journal", "notes", "tasks"], ["notes:n1", "tasks:t1"]),
    scope("a table too few", ["notes"], ["notes:n1", "tasks:t1"]),
    scope("a record without a table", ["notes", "tasks"], ["n1", "tasks:t1"]),
    scope("a table with an umlaut", ["n\u{F6}tes"], ["n\u{F6}tes:n1"]),
    scope("1,001 records", ["notes"], (1000...2000).map { "notes:\($0)" }),
    (
      "a number among the records", [.set("derivation.recordIds", .array([.text("notes:n1"), .number(JSONNumber(1))]))]
    ),
  ]

  private static func scope(_ comment: String, _ tables: [String], _ ids: [String]) -> Case {
    (comment, [.set("derivation.tables", .strings(tables)), .set("derivation.recordIds", .strings(ids))])
  }

  private static func wrappedKeys(_ grant: JSONValue) -> [(String, JSONValue)] {
    let text = grant["wrappedKey"]?.text ?? ""
    let bare = String(text.prefix { $0 != "=" })
    let spelled: [(String, String)] = [
      ("a wrap without padding", bare), ("a wrap with one sign of padding", bare + "="),
      ("a wrap with left-over bits", FieldCases.withLooseBits(bare) + "=="), ("a wrap with a blank", text + " "),
      ("a wrap with a line end inside", String(text.prefix(64)) + "\n" + String(text.dropFirst(64))),
      ("a wrap in the alphabet of URLs", "-_" + String(text.dropFirst(2))), ("a wrap that is no base64", "!"),
    ]
    return spelled.map { ($0.0, grant.edited(.set("wrappedKey", $0.1))) }
  }
}
