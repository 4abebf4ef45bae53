// The scope of a grant: how it is made from records, how it is read from a grant's two lists, and its digest.

import Contracts
import Grants

enum ScopeVectors: OwnFormat {
  static let name = "scope-v2.1"
  static let algorithm = "mandate-v2 scope"
  static let header = [
    "ScopeMaking: from records in any order to the two lists of a grant's JSON and the digest in its label.",
    "ScopeReading: the two lists as a reader finds them; they are right as they stand or refused, never put in order.",
    "The lists are sorted by the UTF-8 bytes of their texts, the frame by table bytes and then id bytes. These orders",
    "differ where one table's name begins another's, because the colon sorts behind the digits.",
  ]
  static let notes = [
    Note("Basic", "BASIC", "Ordinary scopes."),
    Note("Order", "FUNCTIONALITY", "Sorted by bytes: not by UTF-16 units, and not by one order for lists and frame."),
    Note("Unicode", "AUTH_BYPASS", "Names that only look alike are different records."),
    Note("Separator", "AUTH_BYPASS", "A joined name is split at its first colon."),
    Note("Duplicates", "FUNCTIONALITY", "A maker drops repetitions, a reader refuses them."),
    Note("Count", "EDGE_CASE", "1 to 1,000 records."),
    Note("Identifier", "FUNCTIONALITY", "What is no identifier or table name."),
    Note("Lists", "AUTH_BYPASS", "Lists that are not exactly what a maker would have written."),
  ]
  static let groups = [
    GroupShape(
      type: "ScopeMaking", members: [], inputs: [.init("records", .list(Names.recordShape))],
      valid: [
        .init("tables", .list(.text)), .init("recordIds", .list(.text)), .init("frame", .hex),
        .init("digest", .hex(bytes: 32)),
      ], invalid: [.init("reason", .word(Names.scopeReasons))]),
    GroupShape(
      type: "ScopeReading", members: [], inputs: [.init("tables", .list(.text)), .init("recordIds", .list(.text))],
      valid: [
        .init("records", .list(Names.recordShape)), .init("frame", .hex), .init("digest", .hex(bytes: 32)),
      ], invalid: [.init("reason", .word(Names.scopeReasons))]),
  ]

  static func checker(for group: Members) throws -> (Members) throws -> Outcome {
    group.text("type") == "ScopeMaking" ? { try checkMaking($0) } : { try checkReading($0) }
  }

  private static func checkMaking(_ test: Members) throws -> Outcome {
    do throws(ScopeProblem) {
      let scope = try Scope(of: try Names.records(test.list("records")))
      guard test.isValid else { return .failed("a scope was made") }
      guard same(scope.tables, test.texts("tables")), same(scope.recordIds, test.texts("recordIds")) else {
        return .failed("other lists")
      }
      return digest(scope, test)
    } catch { return refused(error, test) }
  }

  private static func checkReading(_ test: Members) throws -> Outcome {
    do throws(ScopeProblem) {
      let scope = try Scope(tables: test.texts("tables"), recordIds: test.texts("recordIds"))
      guard test.isValid else { return .failed("it was read") }
      guard scope.records == (try Names.records(test.list("records"))) else { return .failed("other records") }
      return digest(scope, test)
    } catch { return refused(error, test) }
  }

  private static func digest(_ scope: Scope, _ test: Members) -> Outcome {
    guard scope.frame.bytes == test.bytes("frame") else { return .failed("another frame") }
    return .expect(Hex.decode(GrantLabel.digest(of: scope)) == test.bytes("digest"), "another digest")
  }

  private static func refused(_ problem: ScopeProblem, _ test: Members) -> Outcome {
    .expect(!test.isValid && test.text("reason") == Names.reason(problem), "refused: \(Names.reason(problem))")
  }

  /// By bytes; `==` on strings would also accept canonical equivalents.
  private static func same(_ left: [String], _ right: [String]) -> Bool {
    left.map { Array($0.utf8) } == right.map { Array($0.utf8) }
  }

  // MARK: Cases

  private static let goodScopes: [(comment: String, flags: [String], records: [(String, String)])] = [
    ("one record", ["Basic", "Count"], [("notes", "n1")]),
    ("two tables", ["Basic"], [("tasks", "t1"), ("notes", "n2"), ("notes", "n1")]),
    ("a table's name begins another's", ["Order"], [("a", "x"), ("a1", "y"), ("a", "z")]),
    ("three such tables", ["Order"], [("a", "1"), ("a1", "1"), ("a10", "1"), ("aB", "1"), ("a_", "1")]),
    ("10 before 9, capitals first", ["Order"], [("notes", "9"), ("notes", "10"), ("Notes", "z")]),
    (
      "U+FF5E before the astral character", ["Order", "Unicode"],
      [("notes", "\u{1F600}"), ("notes", "\u{FF5E}"), ("notes", "\u{E000}")]
    ),
    ("composed and decomposed", ["Unicode"], [("notes", Material.composed), ("notes", Material.decomposed)]),
    ("composed alone", ["Unicode"], [("notes", Material.composed)]),
    ("decomposed alone", ["Unicode"], [("notes", Material.decomposed)]),
    ("colons and commas", ["Separator"], [("notes", "a:b"), ("notes", "a,b"), ("notes", ":"), ("notes", ",")]),
    ("a record named like a table", ["Separator"], [("a", "b:c"), ("b", "c")]),
    ("256 bytes and a table of 63", ["Count"], [(String(repeating: "t", count: 63), Material.longestId)]),
    ("1,000 records", ["Count"], Names.thousand()),
  ]

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    [
      Group(type: "ScopeMaking", members: [], tests: try made() + notMade()),
      Group(type: "ScopeReading", members: [], tests: try read() + notRead()),
    ]
  }

  private static func made() throws -> [Test] {
    let twice = [("notes", "n1"), ("tasks", "t1"), ("notes", "n1")]
    return try (goodScopes + [("a record twice", ["Duplicates"], twice)]).map { comment, flags, records in
      let scope = try Scope(of: records.map { try Names.record($0.0, $0.1) })
      return Test(
        comment, flags, [("records", Names.json(records))],
        .valid([("tables", .strings(scope.tables)), ("recordIds", .strings(scope.recordIds))] + outputs(scope)))
    }
  }

  private static func read() throws -> [Test] {
    try goodScopes.map { comment, flags, records in
      let scope = try Scope(of: records.map { try Names.record($0.0, $0.1) })
      return Test(
        "reading \(comment)", flags, lists(scope.tables, scope.recordIds),
        .valid([("records", Names.json(scope.records))] + outputs(scope)))
    }
  }

  private static func outputs(_ scope: Scope) -> [(String, JSONValue)] {
    [("frame", .hex(scope.frame.bytes)), ("digest", .text(GrantLabel.digest(of: scope)))]
  }

  private static func lists(_ tables: [String], _ ids: [String]) -> [(String, JSONValue)] {
    [("tables", .strings(tables)), ("recordIds", .strings(ids))]
  }

  private static func notMade() -> [Test] {
    func refuse(_ comment: String, _ flag: String, _ records: [(String, String)], _ reason: String) -> Test {
      Test(comment, [flag], [("records", Names.json(records))], .invalid(reason: reason))
    }
    return [
      refuse("no record", "Count", [], "empty"),
      refuse("1,001 records", "Count", Names.thousand(1001), "too-many-records"),
    ]
      + Names.badIdentifiers.map { refuse("an id \($0.comment)", "Identifier", [("notes", $0.text)], "identifier") }
      + Names.badTables.map { refuse("the table \"\($0)\"", "Identifier", [($0, "n1")], "identifier") }
  }

  private static func notRead() -> [Test] {
    func refuse(_ comment: String, _ flag: String, _ tables: [String], _ ids: [String], _ reason: String) -> Test {
      Test("reading \(comment)", [flag], lists(tables, ids), .invalid(reason: reason))
    }
    let thousand = Names.thousand(1001).map { $0.0 + ":" + $0.1 }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let astral = ["notes:\u{1F600}", "notes:\u{FF5E}"]
    return [
      refuse("no record", "Count", [], [], "empty"), refuse("a table but no record", "Count", ["notes"], [], "empty"),
      refuse("1,001 records", "Count", ["notes", "tasks"], thousand, "too-many-records"),
      refuse("a name without a colon", "Separator", ["notes"], ["notes"], "not-a-record-name"),
      refuse("an empty name", "Separator", ["notes"], [""], "not-a-record-name"),
      refuse("no id", "Identifier", ["notes"], ["notes:"], "identifier"),
      refuse("no table", "Identifier", ["notes"], [":n1"], "identifier"),
      refuse("two records out of order", "Lists", ["notes"], ["notes:n2", "notes:n1"], "not-sorted-and-unique"),
      refuse("the order of pairs", "Lists", ["a", "a1"], ["a:x", "a1:y"], "not-sorted-and-unique"),
      refuse("the order of UTF-16 units", "Lists", ["notes"], astral, "not-sorted-and-unique"),
      refuse("a record twice", "Duplicates", ["notes"], ["notes:n1", "notes:n1"], "not-sorted-and-unique"),
      refuse("a table twice", "Duplicates", ["notes", "notes"], ["notes:n1"], "tables-do-not-match"),
      refuse("a table too many", "Lists", ["notes", "tasks"], ["notes:n1"], "tables-do-not-match"),
      refuse("a table too few", "Lists", ["notes"], ["notes:n1", "tasks:t1"], "tables-do-not-match"),
      refuse("no tables", "Lists", [], ["notes:n1"], "tables-do-not-match"),
      refuse("tables out of order", "Lists", ["tasks", "notes"], ["notes:n1", "tasks:t1"], "tables-do-not-match"),
      refuse("a table in other case", "Lists", ["Notes"], ["notes:n1"], "tables-do-not-match"),
    ]
      + Names.badIdentifiers.filter { !$0.text.isEmpty }.map {
        refuse("an id \($0.comment)", "Identifier", ["notes"], ["notes:" + $0.text], "identifier")
      }
      + Names.badTables.filter { !$0.isEmpty && !$0.contains(":") }.map {
        refuse("the table \"\($0)\"", "Identifier", [$0], [$0 + ":n1"], "identifier")
      }
  }
}
