// What hostile and broken clients send to the issuer. anna and bert have a vault and three notes each; bert has a
// mission; zoe is in zero-knowledge mode; nobody has nothing.

import Foundation
import HTTPFetching

enum HostileRows {
  static func all(_ signer: TokenSigner) throws -> [HostileRow] {
    try tokens(signer) + everyRouteWithoutToken + shapes + names + unicode + options + records + missions + sizes
      + recovery + modes + reads + paths + services
  }

  // MARK: Who asks

  private static func tokens(_ signer: TokenSigner) throws -> [HostileRow] {
    let now = Int(Date().timeIntervalSince1970)
    let good = try signer.token("anna")
    let other = try TokenSigner()
    let texts: [(String, [String])] = [
      ("no scheme", [good]), ("another scheme", ["Basic \(good)"]), ("small letters", ["bearer \(good)"]),
      ("two blanks", ["Bearer  \(good)"]), ("nothing behind the scheme", ["Bearer "]), ("garbage", ["Bearer x.y.z"]),
      ("two headers", ["Bearer \(good)", "Bearer \(good)"]), ("a part too many", ["Bearer \(good).x"]),
      ("padding", ["Bearer \(good)="]), ("a letter changed", ["Bearer \(good.dropLast(4))AAAA"]),
      ("another signer", ["Bearer \(try other.token("anna"))"]),
      ("expired", ["Bearer \(try signer.signed(signer.claims(exp: "\(now - 1)")))"]),
      ("no expiry", ["Bearer \(try signer.signed(signer.claims(exp: "none")))"]),
      ("expiry as text", ["Bearer \(try signer.signed(signer.claims(exp: "\"\(now + 900)\"")))"]),
      ("expiry beyond all numbers", ["Bearer \(try signer.signed(signer.claims(exp: "1e400")))"]),
      ("not yet valid", ["Bearer \(try signer.signed(signer.claims(more: ",\"nbf\":\(now + 900)")))"]),
      ("another issuer", ["Bearer \(try signer.signed(signer.claims(iss: "\"https://auth.test/\"")))"]),
      ("no issuer", ["Bearer \(try signer.signed(signer.claims(iss: nil)))"]),
      ("another audience", ["Bearer \(try signer.signed(signer.claims(aud: "[\"mana2\"]")))"]),
      ("no audience", ["Bearer \(try signer.signed(signer.claims(aud: nil)))"]),
      ("no subject", ["Bearer \(try signer.signed(signer.claims(sub: nil)))"]),
      ("an empty subject", ["Bearer \(try signer.signed(signer.claims(sub: "\"\"")))"]),
      ("a subject with NUL", ["Bearer \(try signer.signed(signer.claims(sub: "\"a\\u0000\"")))"]),
      ("a subject that is a number", ["Bearer \(try signer.signed(signer.claims(sub: "1")))"]),
      ("two subjects", ["Bearer \(try signer.signed(signer.claims(more: ",\"sub\":\"bert\"")))"]),
      (
        "no algorithm",
        ["Bearer \(try signer.signed(signer.claims(), header: #"{"alg":"none","kid":"key-1"}"#, signature: []))"]
      ),
      ("a shared secret", ["Bearer \(try signer.signed(signer.claims(), header: #"{"alg":"HS256","kid":"key-1"}"#))"]),
      ("an unknown key", ["Bearer \(try signer.signed(signer.claims(), header: #"{"alg":"EdDSA","kid":"key-2"}"#))"]),
      ("no key id", ["Bearer \(try signer.signed(signer.claims(), header: #"{"alg":"EdDSA"}"#))"]),
    ]
    return texts.map { name, values in
      HostileRow(
        name: "token: \(name)", method: .get, path: HostileRow.vault + "/key",
        headers: values.map { ("Authorization", $0) }, user: nil, status: 401, code: "UNAUTHORISED")
    }
  }

  private static let routes: [(HTTPMethod, String)] = [
    (.post, HostileRow.issue), (.get, HostileRow.issue + "s"), (.delete, HostileRow.issue + "/m"),
    (.get, HostileRow.vault + "/status"), (.post, HostileRow.vault + "/init"), (.get, HostileRow.vault + "/key"),
    (.post, HostileRow.vault + "/rotate"), (.post, HostileRow.vault + "/recovery-wrap"),
    (.delete, HostileRow.vault + "/recovery-wrap"), (.post, HostileRow.vault + "/zero-knowledge"),
    (.get, "/api/v1/me/ai-audit"), (.get, "/api/v1/me/missions"), (.get, "/api/v1/me/records"),
  ]

  private static let everyRouteWithoutToken = routes.map { method, path in
    HostileRow(
      name: "nobody: \(method.rawValue) \(path)", method: method, path: path, body: method == .post ? [] : nil,
      user: nil, status: 401, code: "UNAUTHORISED")
  }

  // MARK: What is wished for

  private static let shapes: [HostileRow] = [
    .wish("nothing", ""), .wish("blanks", "  \n"), .wish("null", "null"), .wish("a list", "[]"),
    .wish("a number", "7"), .wish("a text", "\"m\""), .wish("cut off", "{\"missionId\":\"m\""), .wish("{}", "{}"),
    .wish("two values", "{}{}"), .wish("a comma too many", "{\"missionId\":\"m\",}"),
    .wish("single quotes", "{'missionId':'m'}"), .wish("a byte-order mark", "\u{FEFF}{}"),
    .wish("an open string", "{\"missionId\":\"m"), .wish("a raw line break", mission: "\"a\nb\""),
    HostileRow(name: "bytes that are no text", body: [0x7B, 0xFF, 0xFE, 0x7D], status: 400, code: "BAD_REQUEST"),
    HostileRow(name: "NUL", body: [0], status: 400, code: "BAD_REQUEST"),
    .wish("very deep", String(repeating: "[", count: 100_000)),
    .wish("a form", "missionId=m&tables=notes"),
    .wish("a mission that is a number", mission: "7"), .wish("a mission that is null", mission: "null"),
    .wish("a mission that is empty", mission: "\"\""), .wish("a mission in a list", mission: "[\"m\"]"),
    .wish("half a surrogate", mission: "\"\\ud83d\""), .wish("tables as a text", tables: "\"notes\""),
    .wish("tables as an object", tables: "{\"0\":\"notes\"}"), .wish("tables as null", tables: "null"),
    .wish("a table that is a number", tables: "[1]"), .wish("a table that is null", tables: "[null]"),
    .wish("records as a text", records: "\"notes:n1\""), .wish("records as an object", records: "{}"),
    .wish("a record in a list", records: "[[\"notes:n1\"]]"), .wish("a record that is true", records: "[true]"),
    .wish("no tables", tables: "[]"), .wish("no records", records: "[]"),
  ]

  private static let names: [HostileRow] = [
    .wish("a mission with NUL", mission: "\"a\\u0000b\""), .wish("a mission with escape", mission: "\"\\u001b[2J\""),
    .wish("a mission with DEL", mission: "\"\\u007f\""), .wish("a mission with C1", mission: "\"\\u0085\""),
    .wish("a mission that is too long", mission: "\"\(String(repeating: "x", count: 257))\""),
    .wish("a mission of 129 umlauts", mission: "\"\(String(repeating: "é", count: 129))\""),
    .wish("a table with a blank", tables: "[\"no tes\"]"), .wish("an empty table", tables: "[\"\"]"),
    .wish("a table with a colon", tables: "[\"notes:\"]"), .wish("a table with a comma", tables: "[\"notes,tasks\"]"),
    .wish("a table that is too long", tables: "[\"\(String(repeating: "t", count: 64))\"]"),
    .wish("a table with a quote", tables: "[\"notes\\\"; DROP TABLE mana_ai.grants; --\"]"),
    .wish("a table in other letters", tables: "[\"ｎotes\"]"), .wish("a table in capitals", tables: "[\"NOTES\"]"),
    .wish("a table more than there are records for", tables: "[\"notes\",\"tasks\"]"),
    .wish("a record of another table", records: "[\"notes:n1\",\"tasks:t1\"]"),
    .wish("a record without a table", records: "[\"n1\"]"), .wish("a record without an id", records: "[\"notes:\"]"),
    .wish("a record that is a colon", records: "[\":\"]"), .wish("an empty record", records: "[\"\"]"),
    .wish("a record with NUL", records: "[\"notes:\\u0000\"]"),
    .wish("a record with a tab", records: "[\"notes:\\t\"]"),
    .wish("a record that is too long", records: "[\"notes:\(String(repeating: "x", count: 257))\"]"),
    .wish("a blank before the table", records: "[\" notes:n1\"]"),
  ]

  /// What looks like a record is none; what differs by a byte is another one.
  private static let unicode: [HostileRow] = [
    .wish("a colon in the id", records: "[\"notes:a:b\"]", 400, "UNKNOWN_RECORD"),
    .wish("a comma in the id", records: "[\"notes:n1,notes:n2\"]", 400, "UNKNOWN_RECORD"),
    .wish("the other spelling of an accent", records: "[\"notes:cafe\\u0301\"]", 400, "UNKNOWN_RECORD"),
    .wish("its own spelling", records: "[\"notes:caf\\u00e9\"]", 200, nil, changes: true),
    .wish("marks in another order", records: "[\"notes:a\\u0323\\u0307\"]", 400, "UNKNOWN_RECORD"),
    .wish("a letter in its wide form", records: "[\"notes:ｎ1\"]", 400, "UNKNOWN_RECORD"),
    .wish("a joiner", records: "[\"notes:n\\u200d1\"]", 400, "UNKNOWN_RECORD"),
    .wish("a direction mark", records: "[\"notes:\\u202en1\"]", 400, "UNKNOWN_RECORD"),
    .wish("another case", records: "[\"notes:N1\"]", 400, "UNKNOWN_RECORD"),
    .wish("a trailing blank", records: "[\"notes:n1 \"]", 400, "UNKNOWN_RECORD"),
    .wish("a pattern", records: "[\"notes:%\"]", 400, "UNKNOWN_RECORD"),
    .wish("SQL", records: "[\"notes:n1' OR '1'='1\"]", 400, "UNKNOWN_RECORD"),
    .wish("the highest character", records: "[\"notes:\\udbff\\udfff\"]", 400, "UNKNOWN_RECORD"),
  ]

  private static let options: [HostileRow] = [
    .wish("version v3", more: ",\"version\":\"v3\""), .wish("version 2", more: ",\"version\":2"),
    .wish("version V2", more: ",\"version\":\"V2\""), .wish("version in a list", more: ",\"version\":[\"v2\"]"),
    .wish("v1, which is off", more: ",\"version\":\"v1\""), .wish("an empty purpose", more: ",\"purpose\":\"\""),
    .wish("a purpose with a line break", more: ",\"purpose\":\"a\\nb\""),
    .wish("a purpose that is too long", more: ",\"purpose\":\"\(String(repeating: "p", count: 257))\""),
    .wish("a purpose that is a number", more: ",\"purpose\":1"),
    .wish("attach as a text", more: ",\"attach\":\"true\""),
    .wish("attach as a number", more: ",\"attach\":1"), .wish("allowMissing as a text", more: ",\"allowMissing\":\"\""),
    .wish("allowMissing as an object", more: ",\"allowMissing\":{}"),
    .wish("the last of two missions counts", mission: "\"m\",\"missionId\":\"\""),
    .wish(
      "unknown members are passed over", more: ",\"expiresAt\":\"9999\",\"grantId\":\"x\",\"userId\":\"bert\"", 200,
      nil, changes: true),
    .wish("a lifetime as a text is the default", more: ",\"ttlMs\":\"forever\"", 200, nil, changes: true),
    .wish("a lifetime beyond all numbers is the longest", more: ",\"ttlMs\":1e999", 200, nil, changes: true),
    .wish("a lifetime below zero is the shortest", more: ",\"ttlMs\":-1e999", 200, nil, changes: true),
  ]

  private static let records: [HostileRow] = [
    .wish("a record that never was", records: "[\"notes:never\"]", 400, "UNKNOWN_RECORD"),
    .wish("one of two never was", records: "[\"notes:n1\",\"notes:never\"]", 400, "UNKNOWN_RECORD"),
    .wish("a deleted record", records: "[\"notes:gone\"]", 400, "UNKNOWN_RECORD"),
    .wish("somebody else's record", records: "[\"notes:berts\"]", 400, "UNKNOWN_RECORD"),
    .wish("a record in another application", records: "[\"notes:elsewhere\"]", 400, "UNKNOWN_RECORD"),
    .wish(
      "a table that no grant can name", tables: "[\"aiMissions\"]", records: "[\"aiMissions:m\"]", 400, "UNKNOWN_RECORD"
    ),
    .wish(
      "the same, whatever is allowed", tables: "[\"aiMissions\"]", records: "[\"aiMissions:m\"]",
      more: ",\"allowMissing\":true", 400, "UNKNOWN_RECORD"),
    .wish(
      "a table of the database", tables: "[\"encryption_vaults\"]", records: "[\"encryption_vaults:anna\"]", 400,
      "UNKNOWN_RECORD"),
    .wish(
      "agents", tables: "[\"agents\"]", records: "[\"agents:a\"]", more: ",\"allowMissing\":true", 400, "UNKNOWN_RECORD"
    ),
    .wish("absent and allowed", records: "[\"notes:never\"]", more: ",\"allowMissing\":true", 200, nil, changes: true),
    .wish(
      "one record many times", records: "[\(repeatElement("\"notes:n1\"", count: 1000).joined(separator: ","))]", 200,
      nil, changes: true),
    .wish("1,001 times", records: "[\(repeatElement("\"notes:n1\"", count: 1001).joined(separator: ","))]"),
    .wish(
      "1,000 records", records: "[\((0..<1000).map { "\"notes:r\($0)\"" }.joined(separator: ","))]",
      more: ",\"allowMissing\":true", 200, nil, changes: true),
    .wish(
      "1,000 records, of which most never were",
      records: "[\((0..<1000).map { "\"notes:r\($0)\"" }.joined(separator: ","))]", 400, "UNKNOWN_RECORD"),
  ]

  private static let missions: [HostileRow] = [
    .wish(
      "attached to a mission that never was", mission: "\"never\"", more: ",\"attach\":true", 400, "UNKNOWN_MISSION"),
    .wish(
      "attached to somebody else's mission", mission: "\"berts-mission\"", more: ",\"attach\":true", 400,
      "UNKNOWN_MISSION"),
    .wish(
      "attached to a deleted mission", mission: "\"gone-mission\"", more: ",\"attach\":true", 400, "UNKNOWN_MISSION"),
    .wish(
      "for a mission of somebody else's name, which is one's own then", mission: "\"berts-mission\"", 200, nil,
      changes: true),
    HostileRow(name: "revoking what never was", method: .delete, path: HostileRow.issue + "/never", status: 200),
    HostileRow(name: "revoking somebody else's", method: .delete, path: HostileRow.issue + "/berts-grant", status: 200),
    HostileRow(
      name: "revoking with NUL", method: .delete, path: HostileRow.issue + "/a%00", status: 400, code: "BAD_REQUEST"),
    HostileRow(
      name: "revoking with a control character", method: .delete, path: HostileRow.issue + "/a%1b", status: 400,
      code: "BAD_REQUEST"),
    HostileRow(
      name: "revoking bytes that are no text", method: .delete, path: HostileRow.issue + "/%ff", status: 400,
      code: "BAD_REQUEST"),
    HostileRow(
      name: "revoking a slash", method: .delete, path: HostileRow.issue + "/a%2fb", status: 400, code: "BAD_REQUEST"),
    HostileRow(
      name: "revoking upwards", method: .delete, path: HostileRow.issue + "/%2e%2e", status: 400, code: "BAD_REQUEST"),
    HostileRow(
      name: "revoking what is too long", method: .delete,
      path: HostileRow.issue + "/" + String(repeating: "x", count: 257), status: 400, code: "BAD_REQUEST"),
    HostileRow(
      name: "nobody's vault", body: Array(#"{"missionId":"m","tables":["notes"],"recordIds":["notes:n1"]}"#.utf8),
      user: "nobody", status: 404, code: "VAULT_NOT_INITIALISED"),
    HostileRow(
      name: "in zero-knowledge mode",
      body: Array(#"{"missionId":"m","tables":["notes"],"recordIds":["notes:n1"]}"#.utf8), user: "zoe", status: 409,
      code: "ZK_ACTIVE"),
  ]

  private static let sizes: [HostileRow] = [
    HostileRow(
      name: "a body of a MiB and a byte", body: [UInt8](repeating: 0x20, count: 1 << 20 | 1), status: 413,
      code: "BODY_TOO_LARGE"),
    HostileRow(
      name: "a MiB of blanks", body: [UInt8](repeating: 0x20, count: 1 << 20), status: 400, code: "BAD_REQUEST"),
    .wish("a mission of half a MiB", mission: "\"\(String(repeating: "m", count: 1 << 19))\""),
    .wish("many unknown members", more: (0..<20_000).map { ",\"k\($0)\":0" }.joined(), 200, nil, changes: true),
    .wish("many marks", mission: "\"\(String(repeating: "\u{301}\u{323}", count: 100_000))\""),
  ]

  // MARK: The vault

  private static let recovery: [HostileRow] = [
    .post("recovery: nothing", HostileRow.vault + "/recovery-wrap", ""),
    .post("recovery: no object", HostileRow.vault + "/recovery-wrap", "[]"),
    .post("recovery: no members", HostileRow.vault + "/recovery-wrap", "{}"),
    .post("recovery: half a pair", HostileRow.vault + "/recovery-wrap", #"{"recoveryWrappedMk":"a"}"#),
    .post("recovery: the other half", HostileRow.vault + "/recovery-wrap", #"{"recoveryIv":"a"}"#),
    .post("recovery: empty", HostileRow.vault + "/recovery-wrap", #"{"recoveryWrappedMk":"","recoveryIv":"a"}"#),
    .post("recovery: a number", HostileRow.vault + "/recovery-wrap", #"{"recoveryWrappedMk":1,"recoveryIv":"a"}"#),
    .post("recovery: null", HostileRow.vault + "/recovery-wrap", #"{"recoveryWrappedMk":"a","recoveryIv":null}"#),
    .post("recovery: NUL", HostileRow.vault + "/recovery-wrap", #"{"recoveryWrappedMk":"a\u0000","recoveryIv":"a"}"#),
    .post(
      "recovery: too long", HostileRow.vault + "/recovery-wrap",
      #"{"recoveryWrappedMk":"\#(String(repeating: "a", count: 4097))","recoveryIv":"a"}"#),
    HostileRow(
      name: "recovery: no vault", path: HostileRow.vault + "/recovery-wrap",
      body: Array(#"{"recoveryWrappedMk":"a","recoveryIv":"a"}"#.utf8), user: "nobody", status: 404,
      code: "VAULT_NOT_INITIALISED"),
    HostileRow(
      name: "recovery: clearing none", method: .delete, path: HostileRow.vault + "/recovery-wrap", user: "nobody",
      status: 404, code: "VAULT_NOT_INITIALISED"),
    HostileRow(
      name: "recovery: clearing in the mode", method: .delete, path: HostileRow.vault + "/recovery-wrap", user: "zoe",
      status: 409, code: "ZK_ACTIVE"),
    HostileRow(
      name: "a key without a vault", method: .get, path: HostileRow.vault + "/key", user: "nobody", status: 404,
      code: "VAULT_NOT_INITIALISED"),
    HostileRow(
      name: "rotating in the mode", path: HostileRow.vault + "/rotate", body: [], user: "zoe", status: 409,
      code: "ZK_ROTATE_FORBIDDEN"),
  ]

  private static func mode(
    _ name: String, _ body: String, _ status: Int = 400, _ code: String = "BAD_REQUEST", user: String = "anna"
  ) -> HostileRow {
    HostileRow(
      name: "mode: \(name)", path: HostileRow.vault + "/zero-knowledge", body: Array(body.utf8), user: user,
      status: status, code: code)
  }

  private static let someKey = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="

  private static let modes: [HostileRow] = [
    mode("nothing", ""), mode("no object", "true"), mode("no member", "{}"), mode("a text", #"{"enable":"true"}"#),
    mode("a number", #"{"enable":1}"#), mode("null", #"{"enable":null}"#), mode("no key", #"{"enable":false}"#),
    mode("an empty key", #"{"enable":false,"masterKey":""}"#),
    mode("no base64", #"{"enable":false,"masterKey":"%%%%"}"#),
    mode("a short key", #"{"enable":false,"masterKey":"AAAA"}"#),
    mode("a long key", #"{"enable":false,"masterKey":"\#(String(repeating: "A", count: 44))"}"#),
    mode("a key as a list", #"{"enable":false,"masterKey":["\#(someKey)"]}"#),
    mode("the last member counts", #"{"enable":true,"enable":"no"}"#),
    mode("entering without a pair", #"{"enable":true}"#, 400, "RECOVERY_WRAP_MISSING"),
    mode("entering without a vault", #"{"enable":true}"#, 404, "VAULT_NOT_INITIALISED", user: "nobody"),
    mode(
      "leaving without a vault", #"{"enable":false,"masterKey":"\#(someKey)"}"#, 404, "VAULT_NOT_INITIALISED",
      user: "nobody"),
    mode(
      "leaving with another key", #"{"enable":false,"masterKey":"\#(someKey)"}"#, 400, "WRONG_MASTER_KEY", user: "zoe"),
    mode(
      "leaving where nobody knows the key", #"{"enable":false,"masterKey":"\#(someKey)"}"#, 409, "KEY_CHECK_MISSING",
      user: "yara"),
  ]

  // MARK: What is read

  private static let reads: [HostileRow] = [
    .get("audit: a page that is none", "/api/v1/me/ai-audit?before=x"),
    .get("audit: a page below zero", "/api/v1/me/ai-audit?before=-1"),
    .get("audit: a page beyond numbers", "/api/v1/me/ai-audit?before=99999999999999999999"),
    .get("audit: a chain that is none", "/api/v1/me/ai-audit?chain=yes"),
    .get("audit: a start that is none", "/api/v1/me/ai-audit?chain=true&after=1e3"),
    .get("audit: other digits", "/api/v1/me/ai-audit?chain=true&after=%D9%A1"),
    .get("audit: NUL", "/api/v1/me/ai-audit?missionId=%00"),
    .get("audit: half a percent sign", "/api/v1/me/ai-audit?missionId=%"),
    .get("audit: bytes that are no text", "/api/v1/me/ai-audit?missionId=%C3"),
    .get("audit: somebody else's mission is empty", "/api/v1/me/ai-audit?missionId=berts-mission&limit=0x10", 200, nil),
    .get("missions: NUL", "/api/v1/me/missions?after=%00"),
    .get("records: nothing", "/api/v1/me/records"), .get("records: no ids", "/api/v1/me/records?table=notes"),
    .get("records: no table", "/api/v1/me/records?ids=n1"),
    .get("records: a table that is none", "/api/v1/me/records?table=no%20tes&ids=n1"),
    .get("records: a table that no grant can name", "/api/v1/me/records?table=aiMissions&ids=m"),
    .get("records: control characters", "/api/v1/me/records?table=notes&ids=%1b"),
    .get(
      "records: too many", "/api/v1/me/records?table=notes&ids=\(repeatElement("n", count: 201).joined(separator: ","))"
    ),
    .get("records: somebody else's are none", "/api/v1/me/records?table=notes&ids=berts", 200, nil),
  ]

  private static let paths: [HostileRow] = [
    .get("no such path", "/api/v1/me", 404, "NOT_FOUND"), .get("the root", "/", 404, "NOT_FOUND"),
    .get("a slash too many", HostileRow.vault + "/key/", 404, "NOT_FOUND"),
    .get("a path upwards", "/api/v1/me/%2e%2e/resolver-key", 400, "BAD_REQUEST"),
    .get("another case", "/API/v1/resolver-key", 404, "NOT_FOUND"),
    .get("issuing by reading", HostileRow.issue, 405, "METHOD_NOT_ALLOWED"),
    .get("rotating by reading", HostileRow.vault + "/rotate", 405, "METHOD_NOT_ALLOWED"),
    HostileRow(
      name: "putting a key", method: .put, path: HostileRow.vault + "/key", body: [], status: 405,
      code: "METHOD_NOT_ALLOWED"),
    .get("internal routes from outside: health", "/health", 404, "NOT_FOUND"),
    .get("internal routes from outside: metrics", "/metrics", 404, "NOT_FOUND"),
    .post("internal routes from outside: deletion", "/internal/users/anna/deleted", "", 404, "NOT_FOUND"),
  ]

  private static let services: [HostileRow] = [
    HostileRow(
      name: "deleting without a key", path: "/internal/users/anna/deleted", body: [], user: nil, inside: true,
      status: 401, code: "UNAUTHORIZED"),
    HostileRow(
      name: "deleting as a user", path: "/internal/users/anna/deleted", body: [], inside: true, status: 401,
      code: "UNAUTHORIZED"),
    HostileRow(
      name: "deleting with another key", path: "/internal/users/anna/deleted", body: [],
      headers: [("X-Service-Key", "kR7vQ2nX9sLd4TzB8wYh3MfX")], inside: true, status: 401, code: "UNAUTHORIZED"),
    HostileRow(
      name: "deleting nobody", path: "/internal/users/%1b/deleted", body: [],
      headers: [("X-Service-Key", IssuerProcess.serviceKey)], inside: true, status: 400, code: "BAD_REQUEST"),
    HostileRow(
      name: "users' routes from inside", method: .get, path: HostileRow.vault + "/key", inside: true, status: 404,
      code: "NOT_FOUND"),
  ]
}
