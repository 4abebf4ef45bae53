// The cases of the v2 grant file: what is issued, and what opens.

import Contracts
import Cryptography
import Grants
import Secrets

struct GrantV2Cases {
  let former: FormerFile
  let keys: ThrowAwayKeys

  /// The inputs of one issuing; each case changes some of them.
  struct Issue {
    let comment: String
    let flags: [String]
    var user = Material.user
    var mission = Material.mission
    var grantId = Material.grantId
    var records = [("notes", "n1"), ("tasks", "t1")]
    var wantedMs: Double?

    init(_ comment: String, _ flags: [String], _ change: (inout Issue) -> Void = { _ in }) {
      (self.comment, self.flags) = (comment, flags)
      change(&self)
    }
  }

  /// A grant that was issued, with what opening it gives.
  struct Issued {
    let json: JSONValue
    let label: [UInt8]
    let missionKey: PublishedBytes
    let user: String
    let mission: String
  }

  // MARK: Issuing

  func issuedWithA() -> [Issue] {
    [
      Issue("an issued grant", ["Basic"]),
      Issue("a lifetime of one hour", ["Lifetime"]) { $0.wantedMs = 3_600_000 },
      Issue("a millisecond becomes an hour", ["Lifetime"]) { $0.wantedMs = 1 },
      Issue("31 days become 30", ["Lifetime"]) { $0.wantedMs = 2_678_400_000 },
      Issue("a part of a millisecond is cut", ["Lifetime"]) { $0.wantedMs = 7_200_000.75 },
      Issue("records unsorted and twice", ["HardNames"]) {
        $0.records = [("tasks", "t1"), ("notes", "n1"), ("tasks", "t1")]
      },
      Issue("a table's name begins another's", ["HardNames"]) { $0.records = [("a", "x"), ("a1", "y"), ("a", "z")] },
      Issue("composed and decomposed", ["HardNames"]) {
        $0.records = [("notes", Material.composed), ("notes", Material.decomposed)]
        ($0.user, $0.mission) = (Material.composed, Material.decomposed)
      },
      Issue("colons, commas, quotes, astral characters", ["HardNames"]) {
        $0.records = ["a:b", "a,b", "a\"b\\c", "\u{1F600}", "\u{FF5E}"].map { ("notes", $0) }
        ($0.user, $0.mission) = ("u:1,\u{1F600}", "m:\"2\"")
      },
      Issue("identifiers of 256 bytes", ["HardNames"]) {
        $0.records = [(String(repeating: "t", count: 63), Material.longestId)]
        ($0.user, $0.mission) = (Material.longestId, Material.longestId)
      },
      Issue("1,000 records", ["HardNames"]) { $0.records = Names.thousand() },
    ]
  }

  func issuing(_ key: String, _ cases: [Issue]) throws -> Group {
    let tests = try cases.map { issue in
      let made = try issued(issue, for: keys[key])
      return Test(
        issue.comment, issue.flags,
        [
          ("masterKey", .hex(Material.master)), ("userId", .text(issue.user)), ("missionId", .text(issue.mission)),
          ("grantId", .text(issue.grantId)), ("records", Names.json(issue.records)),
          ("issuedAt", .text(Material.issuedAt)), ("wantedMs", issue.wantedMs.map { .number(JSONNumber($0)) } ?? .null),
        ],
        .valid([
          ("missionKey", .hex(made.missionKey)), ("label", .hex(made.label)), ("grant", .text(made.json.compactText())),
        ]))
    }
    return Group(type: "GrantV2Issuing", members: [("keys", ThrowAwayKeys.json([keys[key]]))], tests: tests)
  }

  /// The wrap is kept with the case of that comment; `wrapping` replaces what is wrapped and how.
  func issued(
    _ issue: Issue, for pair: ThrowAwayKeys.Pair, wrapping: PublishedBytes? = nil, label other: [UInt8]? = nil,
    hash: OAEPHash = .sha256, mgf: OAEPHash = .sha256
  ) throws -> Issued {
    guard let issuedAt = Instant(iso: Material.issuedAt) else { preconditionFailure("a fixed instant") }
    let scope = try Scope(of: issue.records.map { try Names.record($0.0, $0.1) })
    let claims = GrantClaims(
      grantId: Identifier(issue.grantId), keyId: pair.publicKey.keyIdHex, user: Identifier(issue.user),
      mission: Identifier(issue.mission), scope: scope, issuedAt: issuedAt,
      expiresAt: GrantLifetime.expiry(issuedAt: issuedAt, wanted: issue.wantedMs))
    let label = label(of: claims)
    let key = try MissionKeyV2Vectors.key(Material.master, issue.user, issue.mission, issue.grantId, scope)
    let wrapped = try former.wrap(
      wrapping ?? key, for: pair, label: other ?? label, hash: hash, mgf: mgf, comment: issue.comment)
    return Issued(
      json: GrantV2(claims: claims, wrappedKey: wrapped).json, label: label, missionKey: key, user: issue.user,
      mission: issue.mission)
  }

  /// Spelled out once more, so that the cases do not rest on the code they check.
  private func label(of claims: GrantClaims) -> [UInt8] {
    let pairs = claims.scope.records.flatMap { [$0.table.utf8, $0.record.utf8] }
    let scope = Material.frame(["mandate/v2/scope", String(claims.scope.records.count)].map { Array($0.utf8) } + pairs)
    return Material.frame(
      "mandate/v2/grant", claims.grantId.text, claims.keyId, claims.user.text, claims.mission.text, claims.issuedAt.iso,
      claims.expiresAt.iso, Hex.encode(SHA256.digest(scope)))
  }

  // MARK: Opening

  func opening(_ names: [String], _ tests: [Test]) throws -> Group {
    Group(type: "GrantV2Opening", members: [("keys", ThrowAwayKeys.json(names.map { keys[$0] }))], tests: tests)
  }

  func openedWithA() throws -> [Test] {
    let base = try issued(Issue("a grant opens", ["Basic"]), for: keys["a"])
    return [opens("a grant opens", ["Basic"], base)] + spellings(base) + expiries(base) + claims(base) + scopes(base)
      + callers(base) + (try wraps(base)) + orders(base)
      + GrantV2Shapes.malformed(base.json).map { comment, json in
        refuses(comment, ["Malformed"], base, json, "malformed")
      }
  }

  func openedWithSeveral() throws -> [Test] {
    try [("b", "the first"), ("a", "the second"), ("c", "the third")].map { key, which in
      let comment = "the key id picks \(which) key"
      return opens(comment, ["SeveralKeys"], try issued(Issue(comment, ["SeveralKeys"]), for: keys[key]))
    } + [
      {
        let comment = "a grant for a key that is not here"
        let made = try issued(Issue(comment, ["SeveralKeys"]), for: keys["d"])
        return refuses(comment, ["SeveralKeys"], made, made.json, "wrap-rejected")
      }(),
      {
        let comment = "the key id of another key that is here"
        let made = try issued(Issue(comment, ["SeveralKeys", "EditedClaim"]), for: keys["a"])
        let json = made.json.edited(.set("keyId", keys["b"].publicKey.keyIdHex))
        return refuses(comment, ["SeveralKeys", "EditedClaim"], made, json, "wrap-rejected")
      }(),
    ]
  }

  func openedWithOne(_ key: String, _ size: String) throws -> [Test] {
    let comment = "opening with \(size)"
    let made = try issued(Issue(comment, ["KeySize"]), for: keys[key])
    return [
      opens(comment, ["KeySize"], made),
      refuses(
        "another mission with \(size)", ["KeySize", "EditedClaim"], made,
        made.json.edited(.set("derivation.missionId", "mission-xyz")), "wrap-rejected"),
    ]
  }

  func openedWithNone() throws -> [Test] {
    let base = try issued(Issue("no key, a good grant", ["NotConfigured"]), for: keys["a"])
    return [
      refuses("no key, a good grant", ["NotConfigured"], base, base.json, "not-configured"),
      refuses("no key, no grant at all", ["NotConfigured", "Order"], base, .null, "not-configured"),
      refuses(
        "no key, an expired grant", ["NotConfigured", "Order"], base, base.json, "not-configured",
        now: "2099-01-01T00:00:00.000Z"),
    ]
  }

  func opens(
    _ comment: String, _ flags: [String], _ made: Issued, text: String? = nil, now: String = Material.during
  ) -> Test {
    Test(
      comment, flags,
      [
        ("now", .text(now)), ("userId", .text(made.user)), ("missionId", .text(made.mission)),
        ("grant", .text(text ?? made.json.compactText())),
      ], .valid([("label", .hex(made.label)), ("missionKey", .hex(made.missionKey))]))
  }

  func refuses(
    _ comment: String, _ flags: [String], _ made: Issued, _ json: JSONValue, _ reason: String,
    now: String = Material.during, user: String? = nil, mission: String? = nil
  ) -> Test {
    Test(
      comment, flags,
      [
        ("now", .text(now)), ("userId", .text(user ?? made.user)), ("missionId", .text(mission ?? made.mission)),
        ("grant", .text(json.compactText())),
      ], .invalid(reason: reason))
  }
}
