// The small parts that the checks stand on.

import Contracts
import Cryptography
import Testing

@testable import VectorChecks

@Suite("Small parts")
struct PartsTests {
  @Test("Exactly the strict spellings of an expiry are strict, and our parser agrees")
  func strictDates() {
    let strict = [
      "2026-11-27T07:00:00.000Z", "2026-11-27T07:00Z", "2026-11-27T07:00:00Z", "2026-11-27T07:00:00.1Z",
      "2026-11-27T07:00:00.000000001+02:00", "2024-02-29T00:00:00-23:59", "2026-11-27T24:00:00Z", "2000-02-29T00:00Z",
      "2026-11-27T24:00:00.00Z", "9999-12-31T23:59:59.999Z", "9999-12-31T24:00:00+00:01", "9999-12-31T00:00-23:59",
      "0000-01-01T00:00:00Z", "0000-01-01T00:01:00+00:01", "0000-01-01T00:00-00:01", "9999-12-30T23:59-23:59",
    ]
    let loose = [
      "", "Z", "2026-11-27", "2026-11-27T07:00:00", "2026-11-27 07:00:00Z", "2026-11-27t07:00:00z", "2026-11",
      "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-11-27T07:00:60Z", "2026-11-27T24:00:01Z",
      "2026-11-27T07:00:00.Z", "2026-11-27T07:00.5Z", "2026-11-27T07:00:00+0200", "2026-11-27T07:00:00+24:00",
      "2026-11-27T07:00:00+02:60", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
      "+002026-11-27T07:00:00Z", "2026-11-27T07:00:00ZZ", "2026-11-27T24:00:00.001Z", "1795158000000",
      "é026-11-27T07:00Z", "9999-12-31T24:00:00Z", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:59.999+00:01",
    ]
    for text in strict {
      #expect(StrictDate.isStrict(text), "\(text)")
      #expect(Instant(iso: text) != nil, "\(text)")
    }
    for text in loose {
      #expect(!StrictDate.isStrict(text), "\(text)")
      #expect(Instant(iso: text) == nil, "\(text)")
    }
  }

  @Test("A JavaScript value tells 0 from -0, one spelling of é from the other, and one order of members from another")
  func javaScriptValues() throws {
    func value(_ text: String) throws -> JavaScriptValue { JavaScriptValue(try JSONValue(parsing: text)) }
    #expect(try value("-0") != value("0"))
    #expect(try value("1.0") == value("1"))
    #expect(try value("9007199254740993") == value("9007199254740992"))
    #expect(try value("1e400") == value("1e999"))
    #expect(try value("\"\u{E9}\"") != value("\"e\u{301}\""))
    #expect(try value("{\"a\":1,\"b\":2}") != value("{\"b\":2,\"a\":1}"))
    #expect(try value("{\"b\":1,\"1\":2}") == value("{\"1\":2,\"b\":1}"), "integer-like keys come first")
    #expect(try value("[1]") != value("[1,1]"))
  }

  @Test("Tags stand for what JSON cannot carry, and an unknown one is refused")
  func tags() throws {
    func tagged(_ text: String) throws -> JavaScriptValue { try JavaScriptValue(tagged: try JSONValue(parsing: text)) }
    #expect(try tagged("{\"$number\":\"-0\"}") == .number((-0.0).bitPattern))
    #expect(try tagged("[{\"$number\":\"Infinity\"}]") == .array([.number(Double.infinity.bitPattern)]))
    #expect(try tagged("{\"$utf16be\":\"d83d\"}").hasLoneSurrogate)
    #expect(try !tagged("{\"$utf16be\":\"d83dde00\"}").hasLoneSurrogate)
    #expect(try tagged("{\"$entries\":[[{\"$utf16be\":\"dc00\"},1]]}").hasLoneSurrogate)
    #expect(
      try tagged("{\"a\":{\"$number\":\"-Infinity\"}}")
        == .object([.init(key: [97], value: .number((-Double.infinity).bitPattern))]))
    for text in ["{\"$number\":\"1\"}", "{\"$date\":\"x\"}", "{\"$utf16be\":\"d8\"}", "{\"$entries\":[[1]]}"] {
      #expect(throws: CaseProblem.self) { try tagged(text) }
    }
  }

  @Test("A repeated text has a limit")
  func repeats() throws {
    func value(_ text: String) throws -> JavaScriptValue {
      try CaseFields(json: try JSONValue(parsing: text)).javaScriptValue()
    }
    #expect(try value("{\"valueRepeat\":{\"unit\":\"ab\",\"count\":2}}") == .text(Array("abab".utf16)))
    for text in [
      "{\"valueRepeat\":{\"unit\":\"ab\",\"count\":-1}}", "{\"valueRepeat\":{\"unit\":\"ab\",\"count\":999999999999}}",
      "{}", "{\"value\":1,\"valueJsonText\":\"1\"}", "{\"valueJsonText\":\"[\"}",
    ] {
      #expect(throws: CaseProblem.self) { try value(text) }
    }
  }

  @Test("DER: shortest lengths, and a zero in front of what would be negative")
  func der() {
    #expect(DER.integer([]) == [2, 1, 0])
    #expect(DER.integer([0, 0, 1]) == [2, 1, 1])
    #expect(DER.integer([0x80]) == [2, 2, 0, 0x80])
    #expect(DER.octetString([UInt8](repeating: 7, count: 127)).prefix(2) == [4, 127])
    #expect(DER.octetString([UInt8](repeating: 7, count: 128)).prefix(3) == [4, 0x81, 128])
    #expect(DER.octetString([UInt8](repeating: 7, count: 256)).prefix(4) == [4, 0x82, 1, 0])
    #expect(DER.sequence([[5, 0], [2, 1, 0]]) == [0x30, 5, 5, 0, 2, 1, 0])
  }

  @Test("The eight numbers of a key, written as PKCS#8, are the key byte for byte")
  func keyNumbers() throws {
    let examples = try OAEPExampleFile(try Fixtures.text("oaep-examples.txt"))
    let written = try #require(examples.keys.first).numbers().pkcs8
    let label = try Fixtures.text("oaep-label.txt")
    #expect(label.contains("KEY = \(Hex.encode(written))\n"), "the same key, written by another program")
  }

  @Test("Lines end with LF, CR LF or the file, and lose the white space around them")
  func lines() {
    var lines = TextLines("a = b \r\n\n [ x = 1 ]\tEND\n[y]\nlast")
    var found: [String] = []
    while let line = lines.next() { found.append(line.text) }
    #expect(found == ["a = b", "", "[ x = 1 ]\tEND", "[y]", "last"])
    #expect(lines.number == 5)
    let pair = TextLine(Array("salt  = ".utf8)[...]).pair()
    #expect(pair?.name == "salt")
    #expect(pair?.value.isEmpty == true)
    #expect(TextLine(Array("[a = 1]".utf8)[...]).bracketed()?.text == "a = 1")
    #expect(TextLine(Array("[".utf8)[...]).bracketed() == nil)
  }

  @Test("A difference names the place and never the bytes")
  func differences() {
    #expect(Difference.between([1, 2], [1, 2], "the tag") == nil)
    #expect(Difference.between([1, 2, 0xAB], [1, 2, 0xCD], "the tag") == "the tag differs at byte 2 of 3")
    #expect(Difference.between([1], [1, 2], "the tag") == "the tag has 2 bytes where 1 are expected")
  }

  @Test("Every spelling of a hash that the collections use is known, and no other")
  func hashNames() {
    #expect(["SHA-1", "SHA1", "sha1"].allSatisfy { OAEPHash(name: $0) == .sha1 })
    #expect(OAEPHash(name: "SHA-512/256") == .sha512_256)
    #expect(OAEPHash(name: "sha-384") == .sha384)
    #expect(OAEPHash(name: "SHA3-256") == nil)
    #expect(OAEPHash(name: "") == nil)
  }
}

@Suite("A text file that is not in order fails as a whole")
struct BrokenTextTests {
  @Test(
    "CAVP: a value outside a case, a value given twice, an unknown line",
    arguments: [
      ("Count = 0", "Key = 00\r\nCount = 0"), ("AAD = ", "AAD = \r\nAAD = "), ("Count = 1", "Conut: 1"),
      ("[IVlen = 96]", "[IVlen]"),
    ])
  func cavp(_ old: String, _ new: String) throws {
    let text = try Fixtures.text("cavp-encrypt.rsp")
    guard let place = text.firstRange(of: old) else {
      Issue.record("the fixture has no \(old)")
      return
    }
    let verdict = verdict(on: .text(text.replacingCharacters(in: place, with: new)))
    #expect(verdict.why?.hasPrefix("line ") == true, "\(verdict)")
  }

  @Test("CAVP: lengths that are not the block's, a missing value, one too many fail their case")
  func cavpCases() throws {
    let text = try Fixtures.text("cavp-encrypt.rsp")
    for (old, new) in [("[Keylen = 256]", "[Keylen = 128]"), ("IV = ", "VI = "), ("AAD = ", "X = 00\r\nAAD = ")] {
      let tally = verdict(on: .text(text.replacing(old, with: new))).tally
      #expect(tally?.passed == 0, "\(old)")
      #expect(tally?.failed == 4)
    }
  }

  @Test(
    "Examples of RSA-OAEP: one above the first key, a heading twice, an unknown heading",
    arguments: [
      ("# Public key\n", ""), ("# Coefficient:", "# Prime 1:"), ("# Message:", "# Massage:"),
    ])
  func oaep(_ old: String, _ new: String) throws {
    let text = try Fixtures.text("oaep-examples.txt")
    let verdict = verdict(on: .text(text.replacing(old, with: new)))
    #expect(verdict.why?.hasPrefix("line ") == true, "\(verdict)")
  }

  @Test("A key whose two parts differ, or whose number is no number, fails its examples")
  func oaepKeys() throws {
    let text = try Fixtures.text("oaep-examples.txt")
    let place = try #require(text.firstRange(of: "# Exponent:\n10001"))
    for wrong in ["# Exponent:\n10003", "# Exponent:\nxyz", "# Exponent:\n"] {
      let tally = verdict(on: .text(text.replacingCharacters(in: place, with: wrong))).tally
      #expect(tally?.failed == 3)
    }
  }

  @Test("COUNT files: a value before the first case, a value twice, a line without a sign")
  func counts() throws {
    let text = try Fixtures.text("hkdf.txt")
    for wrong in ["L = 1\n" + text, text.replacing("L  ", with: "OKM"), text + "nonsense\n"] {
      #expect(verdict(on: .text(wrong)).why?.hasPrefix("line ") == true)
    }
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
    self[..<range.lowerBound] + text + self[range.upperBound...]
  }
}
