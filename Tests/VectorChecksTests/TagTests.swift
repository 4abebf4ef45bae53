// What a tag excuses, and what it never does.

import Contracts
import Testing

@testable import VectorChecks

@Suite("A tag excuses a refusal, never a wrong key or value")
struct TagTests {
  /// A file with one case of it, changed.
  private static func file(_ name: String, _ index: Int, _ change: (JSONValue) -> JSONValue) throws -> VectorContent {
    let file = try Fixtures.json(name)
    let cases = try #require(file["cases"]?.array)
    return .json(file.with("cases", .array([change(cases[index])])))
  }

  private static func tagged(_ tag: String, _ json: JSONValue) -> JSONValue {
    json.with("tags", .array([.string(tag)]))
  }

  private static func expecting(_ member: String, _ value: JSONValue, _ json: JSONValue) -> JSONValue {
    json.with("expected", (json["expected"] ?? .null).with(member, value))
  }

  @Test(
    "A grant that opens to another key than expected fails under every tag",
    arguments: ["engine-dependent", "js-coercion"])
  func wrongKey(_ tag: String) throws {
    let good = try Self.file("seeds-grant-unwrap.json", 0) { Self.tagged(tag, $0) }
    #expect(verdict(on: good).tally?.setApart == [tag: 1])
    let wrong = try Self.file("seeds-grant-unwrap.json", 0) {
      Self.expecting("mdkHex", .string(String(repeating: "0", count: 64)), Self.tagged(tag, $0)).without("mint")
    }
    #expect(verdict(on: wrong).tally?.failures.map(\.what) == ["another key came out"])
  }

  @Test(
    "A grant that opens where the reference refused fails under every tag, unless its key is known",
    arguments: ["engine-dependent", "js-coercion"])
  func opensAnyway(_ tag: String) throws {
    let refusal = JSONValue.object(JSONObject(members: [("ok", .bool(false)), ("reason", .string("wrap-rejected"))]))
    let unknown = try Self.file("seeds-grant-unwrap.json", 0) {
      Self.tagged(tag, $0).with("expected", refusal).without("mint")
    }
    #expect(verdict(on: unknown).fails)
    let known = try Self.file("seeds-grant-unwrap.json", 0) { Self.tagged(tag, $0).with("expected", refusal) }
    #expect(verdict(on: known).tally?.setApart == [tag: 1])
  }

  @Test("wrong-type excuses only the refusal that a typed reader gives")
  func wrongType() throws {
    // Case 18 wraps null, and the reference reads on; a reader with types calls that malformed.
    let good = try Self.file("seeds-grant-unwrap.json", 17) { $0 }
    #expect(verdict(on: good).tally?.setApart == ["wrong-type": 1])
    let late = try Self.file("seeds-grant-unwrap.json", 17) { $0.with("nowMs", .number(JSONNumber(1_900_000_000_000))) }
    #expect(verdict(on: late).tally?.failures.map(\.what) == ["refused as expired, expected: refused as wrap-rejected"])
    // Case 7 is a key that does not load: no tag makes another reason right.
    let other = try Self.file("seeds-grant-unwrap.json", 6) {
      Self.expecting("reason", .string("malformed"), Self.tagged("wrong-type", $0))
    }
    #expect(verdict(on: other).fails)
  }

  @Test("A strict expiry that our reader refused would fail, not count as a spelling")
  func strictDateIsNoExcuse() throws {
    // The reference says it opened, and the clock says that it cannot have.
    let late = try Self.file("seeds-grant-unwrap.json", 12) { $0.with("nowMs", .number(JSONNumber(1_900_000_000_000))) }
    #expect(verdict(on: late).tally?.failures.map(\.what) == ["refused as expired, expected: it opened"])
  }

  @Test("A grant without a derivation that would not open with one either fails")
  func derivationIsNoExcuse() throws {
    let zeroes = JSONValue.string(String(repeating: "0", count: 64))
    let other = try Self.file("seeds-grant-unwrap.json", 13) { json in
      Self.expecting("mdkHex", zeroes, json).with("mint", (json["mint"] ?? .null).with("mdkHex", zeroes))
    }
    let what = "with a derivation: another key came out, expected: it opened"
    #expect(verdict(on: other).tally?.failures.map(\.what) == [what])
    let contradiction = try Self.file("seeds-grant-unwrap.json", 13) { Self.expecting("mdkHex", zeroes, $0) }
    #expect(verdict(on: contradiction).tally?.failures.map(\.what) == ["two mission keys in one case"])
  }

  @Test("An engine-dependent field that opens to another value fails")
  func wrongValue() throws {
    let good = try Self.file("seeds-enc1.json", 0) { Self.tagged("engine-dependent", $0) }
    #expect(verdict(on: good).tally?.setApart == ["engine-dependent": 1])
    let wrong = try Self.file("seeds-enc1.json", 0) { json in
      let value = JSONValue.object(JSONObject(members: [("ok", .bool(true)), ("value", .string("other"))]))
      return Self.expecting("manaAi", value, Self.tagged("engine-dependent", json))
    }
    #expect(verdict(on: wrong).tally?.failures.map(\.what) == ["another value came out"])
  }

  @Test(
    "A member that a case about absent or mistyped members lacks is not minted again, and the key still counts",
    arguments: ["missing-field", "wrong-type"])
  func lackingMembers(_ tag: String) throws {
    func file(_ tags: [String], _ change: (JSONValue) -> JSONValue) throws -> VectorContent {
      try Self.file("seeds-grant-unwrap.json", 0) { json in
        json.with("tags", .array(tags.map { .string($0) })).with("grant", change(json["grant"] ?? .null))
      }
    }
    let changes: [(JSONValue) -> JSONValue] = [{ $0.without("issuedAt") }, { $0.with("issuedAt", .null) }]
    for change in changes {
      #expect(verdict(on: try file([tag], change)).tally?.passed == 1)
      #expect(verdict(on: try file([], change)).tally?.failures.map(\.what) == ["minting again: another issue date"])
    }
    let underived = try file([tag]) { $0.without("derivation") }
    #expect(verdict(on: underived).tally?.setApart == ["DEV-2 derivation unusable": 1])
    let zeroes = JSONValue.string(String(repeating: "0", count: 64))
    let wrong = try Self.file("seeds-grant-unwrap.json", 0) { json in
      Self.expecting("mdkHex", zeroes, Self.tagged(tag, json))
        .with("mint", (json["mint"] ?? .null).with("mdkHex", zeroes))
        .with("grant", (json["grant"] ?? .null).without("issuedAt"))
    }
    #expect(verdict(on: wrong).tally?.failures.map(\.what) == ["another key came out"])
  }

  @Test("A grant that cannot be minted again from what the file says fails")
  func minting() throws {
    let changes: [(member: String, JSONValue, what: String)] = [
      ("masterKeyHex", .string(String(repeating: "1", count: 64)), "minting again: another mission key was derived"),
      ("ttlMs", .number(JSONNumber(3_600_000)), "minting again: another expiry"),
      ("issuedAtMs", .number(JSONNumber(1_795_158_000_001)), "minting again: another expiry"),
      ("issuedAtMs", .number(JSONNumber(253_402_300_799_000)), "minting again: an expiry beyond the year 9999"),
      ("ttlMs", .string("1"), "ttlMs is neither a number nor null"),
      ("publicKeyId", .string("nobody"), "publicKeyId names no key of the file"),
    ]
    for (member, value, what) in changes {
      let changed = try Self.file("seeds-grant-unwrap.json", 0) { json in
        json.with("mint", (json["mint"] ?? .null).with(member, value))
      }
      #expect(verdict(on: changed).tally?.failures.map(\.what) == [what])
    }
    let unsorted = try Self.file("seeds-grant-unwrap.json", 0) { json in
      let grant = json["grant"] ?? .null
      let tables = JSONValue.array([.string("tasks"), .string("notes")])
      return json.with("grant", grant.with("derivation", (grant["derivation"] ?? .null).with("tables", tables)))
    }
    #expect(verdict(on: unsorted).tally?.failures.map(\.what) == ["minting again: the stored derivation is not sorted"])
    let longer = try Self.file("seeds-grant-unwrap.json", 0) {
      $0.with("grant", ($0["grant"] ?? .null).with("note", .null))
    }
    #expect(verdict(on: longer).tally?.failures.map(\.what) == ["minting again: another grant object"])
  }
}
