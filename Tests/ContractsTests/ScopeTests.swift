// What a v2 grant covers: one order, no repetitions, limits, and only its own records.

import Contracts
import Testing

@Suite("Scopes")
struct ScopeTests {
  private func name(_ table: String, _ record: String) throws -> RecordName {
    RecordName(table: try TableName(table), record: try Identifier(checking: record))
  }

  private func scope(_ joined: [String]) throws -> Scope { try Scope(of: joined.map { try RecordName(joined: $0) }) }

  @Test("A record's name is split at its first colon; the id may hold more of them")
  func recordNames() throws {
    #expect(try RecordName(joined: "notes:n1") == name("notes", "n1"))
    #expect(try RecordName(joined: "notes:a:b") == name("notes", "a:b"))
    #expect(try RecordName(joined: "notes::") == name("notes", ":"))
    #expect(try RecordName(joined: "notes:\u{301}").record.utf8 == [0xCC, 0x81], "bytes are split, not characters")
    for text in ["notes:n1", "notes:a:b", "n:\(decomposed)"] {
      #expect(sameBytes(try RecordName(joined: text).joined, text))
    }
    let refusals: [(String, ScopeProblem)] = [
      ("", .notARecordName), ("notes", .notARecordName), (":n1", .identifier(.notATableName)),
      ("notes:", .identifier(.empty)), ("no tes:n1", .identifier(.notATableName)),
      ("1notes:n1", .identifier(.notATableName)), ("notes\u{FF1A}n1", .notARecordName),
      ("notes\u{301}:n1", .identifier(.notATableName)), ("notes:n\u{0}1", .identifier(.controlCharacter)),
      ("notes:n\u{85}", .identifier(.controlCharacter)),
      ("notes:" + String(repeating: "x", count: 257), .identifier(.tooLong(bytes: 257))),
    ]
    for (text, problem) in refusals { #expect(throws: problem) { try RecordName(joined: text) } }
    #expect(try RecordName(joined: "notes:" + String(repeating: "x", count: 256)).record.utf8.count == 256)
  }

  @Test("The issuer's scope is sorted by table, then record, and names each record once")
  func issuing() throws {
    let wanted = try scope(["tasks:t1", "notes:n9", "notes:n10", "tasks:t1", "Notes:z"])
    #expect(wanted.records.map(\.joined) == ["Notes:z", "notes:n10", "notes:n9", "tasks:t1"])
    #expect(wanted.tables == ["Notes", "notes", "tasks"])
    #expect(wanted.recordIds == ["Notes:z", "notes:n10", "notes:n9", "tasks:t1"])
    #expect(wanted == (try scope(["Notes:z", "notes:n10", "notes:n9", "tasks:t1"])))
  }

  @Test("Where one table's name begins another's, the lists and the derivation have different orders, each its own")
  func prefixTables() throws {
    let wanted = try scope(["a:y", "a1:x", "a:z"])
    #expect(wanted.records.map(\.joined) == ["a:y", "a:z", "a1:x"], "pairs: by the bytes of the table first")
    #expect(wanted.recordIds == ["a1:x", "a:y", "a:z"], "joined texts: 1 sorts before the colon")
    #expect(wanted.tables == ["a", "a1"])
    let read = try Scope(tables: ["a", "a1"], recordIds: ["a1:x", "a:y", "a:z"])
    #expect(read == wanted)
    #expect(throws: ScopeProblem.notSortedAndUnique) {
      try Scope(tables: ["a", "a1"], recordIds: ["a:y", "a:z", "a1:x"])
    }
    // A letter or underscore sorts behind the colon, so here both orders are the same.
    #expect(try scope(["ab:x", "a:y", "a_:w"]).recordIds == ["a:y", "a_:w", "ab:x"])
  }

  @Test("Records whose ids are two spellings of the same letters are two records")
  func canonicalEquivalence() throws {
    let both = try scope(["notes:\(composed)", "notes:\(decomposed)"])
    #expect(both.records.count == 2)
    #expect(both.records.map(\.record) == [Identifier(decomposed), Identifier(composed)])
    let one = try scope(["notes:\(composed)"])
    #expect(one.contains(try name("notes", composed)))
    #expect(!one.contains(try name("notes", decomposed)))
    #expect(one != (try scope(["notes:\(decomposed)"])))
    #expect(throws: ScopeProblem.notSortedAndUnique) {
      try Scope(tables: ["notes"], recordIds: ["notes:\(composed)", "notes:\(decomposed)"])
    }
  }

  @Test("A scope has 1 to 1,000 records, counted without repetitions by the issuer and with them by a reader")
  func limits() throws {
    let ids = (0..<1001).map { "notes:\(10_000 + $0)" }
    #expect(try scope(Array(ids.prefix(1000))).records.count == 1000)
    #expect(try scope(Array(ids.prefix(1000)) + Array(ids.prefix(500))).records.count == 1000)
    #expect(throws: ScopeProblem.tooManyRecords(1001)) { try scope(ids) }
    #expect(throws: ScopeProblem.empty) { try scope([]) }
    #expect(try Scope(tables: ["notes"], recordIds: Array(ids.prefix(1000))).records.count == 1000)
    #expect(throws: ScopeProblem.tooManyRecords(1001)) { try Scope(tables: ["notes"], recordIds: ids) }
    #expect(throws: ScopeProblem.empty) { try Scope(tables: [], recordIds: []) }
    #expect(throws: ScopeProblem.empty) { try Scope(tables: ["notes"], recordIds: []) }
  }

  @Test("A reader takes the lists only exactly as they are written")
  func reading() throws {
    let (tables, ids) = (["notes", "tasks"], ["notes:n1", "notes:n2", "tasks:t1"])
    let read = try Scope(tables: tables, recordIds: ids)
    #expect(read.tables == tables)
    #expect(read.recordIds == ids)
    let refusals: [([String], [String], ScopeProblem)] = [
      (tables, ["notes:n2", "notes:n1", "tasks:t1"], .notSortedAndUnique),
      (tables, ["notes:n1", "notes:n1", "tasks:t1"], .notSortedAndUnique),
      (tables, ["tasks:t1", "notes:n1", "notes:n2"], .notSortedAndUnique),
      (["tasks", "notes"], ids, .tablesDoNotMatch), (["notes"], ids, .tablesDoNotMatch), ([], ids, .tablesDoNotMatch),
      (["notes", "tasks", "tasks"], ids, .tablesDoNotMatch), (["events", "notes", "tasks"], ids, .tablesDoNotMatch),
      (["notes", "tasks", "\u{0}"], ids, .tablesDoNotMatch), (["Notes", "tasks"], ids, .tablesDoNotMatch),
      (tables, ["notes:n1", "notesn2"], .notARecordName), (tables, ["notes:"], .identifier(.empty)),
    ]
    for (tables, ids, problem) in refusals {
      #expect(throws: problem, "\(tables) \(ids)") { try Scope(tables: tables, recordIds: ids) }
    }
  }

  @Test("What the issuer makes, a reader reads back, over random scopes with names that begin alike")
  func roundTrip() throws {
    var random = SeededRandom(seed: 1000)
    for _ in 0..<300 {
      let names = try (0..<Int.random(in: 1...40, using: &random)).map { _ in
        let table = ["a", "a1", "aa", "a_", "A", "a11", "b"].randomElement(using: &random) ?? "a"
        let record = ["1", "a", ":", composed, decomposed, "\u{E000}", "😀", "~"].shuffled(using: &random).prefix(2)
          .joined()
        return try name(table, record)
      }
      let scope = try Scope(of: names)
      #expect(try Scope(tables: scope.tables, recordIds: scope.recordIds) == scope)
      #expect(names.allSatisfy(scope.contains))
      #expect(scope.records.count == Set(names).count)
    }
  }

  @Test("Only the records of a scope are in it")
  func contains() throws {
    let some = try scope(["a:1", "a1:1", "b:b:1"])
    for inside in [("a", "1"), ("a1", "1"), ("b", "b:1")] { #expect(some.contains(try name(inside.0, inside.1))) }
    for outside in [("a", "11"), ("a1", ""), ("a", "2"), ("b", "1"), ("A", "1"), ("c", "1"), ("a", "1 "), ("a", "0")] {
      let record = RecordName(table: try TableName(outside.0), record: Identifier(outside.1))
      #expect(!some.contains(record))
    }
  }

  @Test("The frame of a scope is its domain, its count and its pairs in order")
  func frame() throws {
    let wanted = try scope(["tasks:t1", "notes:n1"])
    var expected: [UInt8] = []
    for part in ["mandate/v2/scope", "2", "notes", "n1", "tasks", "t1"] {
      expected += [0, 0, 0, UInt8(part.utf8.count)] + Array(part.utf8)
    }
    #expect(wanted.frame.bytes == expected)
    var pairs = Frame()
    pairs.add("mandate/v2/scope")
    wanted.addRecords(to: &pairs)
    #expect(pairs == wanted.frame)
    // A colon moved from one part to the other is another scope.
    #expect(try scope(["a:b:c"]).frame != scope(["a:b", "a:c"]).frame)
  }
}
