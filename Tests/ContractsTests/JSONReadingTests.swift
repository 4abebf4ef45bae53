// What is JSON and what is not.

import Contracts
import Testing

@Suite("Reading JSON")
struct JSONReadingTests {
  @Test("Values of every kind are read")
  func kinds() throws {
    #expect(try json("null").isNull)
    #expect(try json("true").bool == true)
    #expect(try json("false").bool == false)
    #expect(try json("12").number?.integer == 12)
    #expect(try json(#""a""#).text == "a")
    #expect(try json("[]").array == [])
    #expect(try json("{}").object?.count == 0)
    #expect(try json(" \t\r\n[ 1 , \"x\" , null ]\n").array == [.number(JSONNumber(1)), .string("x"), .null])
    #expect(try json(#"{"a":{"b":[true]}}"#)["a"]?["b"]?.array == [.bool(true)])
    #expect(try json(#"["a","b"]"#).texts == ["a", "b"])
    #expect(try json(#"["a",1]"#).texts == nil)
    #expect(try json(#"{"a":1}"#)["b"] == nil)
    #expect(try json("[1]")["a"] == nil)
  }

  @Test("Reading refuses to take one kind for another")
  func kindsAreApart() throws {
    for text in ["null", "true", "1", #""1""#, "[]", "{}"] {
      let value = try json(text)
      let kinds = [
        value.isNull, value.bool != nil, value.number != nil, value.text != nil, value.array != nil,
        value.object != nil,
      ]
      #expect(kinds.count(where: \.self) == 1)
    }
  }

  @Test(
    "What is not JSON is refused",
    arguments: [
      "", " ", "\n", "nul", "nulll", "Null", "TRUE", "tru", "truefalse", "undefined", "NaN", "Infinity", "-Infinity",
      "1 2",
      "[] []", "{}1", "null null", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[", "]", "[1", "[1,", "{", "}", "{]",
      "[}",
      "[1}", #"{"a":1]"#, #"{"a":1,}"#, #"{,"a":1}"#, #"{"a"}"#, #"{"a":}"#, #"{"a" 1}"#, #"{"a":1 "b":2}"#, "{a:1}",
      "{1:1}", "{'a':1}", "{null:1}", #"{"a":1,"b"}"#, #"{"a"::1}"#, #"{"a":1:2}"#, "'a'", #""a"#, "\"", #""\""#, "01",
      "-01", "00", "1.", ".5", "-.5", "-", "+1", "--1", "1e", "1e+", "1E-", "1.e1", "1.5.5", "1e1.5", "1e1e1", "0x10",
      "1_000", "1,000", "1a", "-a", "0b1", "１", #""\x41""#, #""\u00""#, #""\u004"#, #""\u00g0""#, #""\U0041""#,
      #""\a""#,
      #""\'""#, #""\0""#, #""\u{41}""#, #""\ u0041""#, "\"a\nb\"", "\"a\tb\"", "\"\u{0}\"", "\"\u{1F}\"", "// c\n1",
      "/* c */1", "1 // c", "1;", "\u{A0}1", "1\u{A0}", "\u{FEFF}1", "\u{B}1", "\u{C}1", "\u{2028}1", "\u{0}", "1\u{0}",
      "[1]\u{0}", #"["a""b"]"#, #""a""b""#, "(1)", "`a`", #"{"a":1}}"#, "[[]", "[]]", "\u{85}1", "#1", "\\u0031",
    ])
  func refused(text: String) {
    #expect(throws: JSONProblem.self) { try json(text) }
  }

  @Test("The refusal says at which byte reading stopped")
  func offsets() {
    let cases: [(String, Int)] = [
      ("", 0), ("[1,]", 3), ("01", 1), ("nulx", 3), (#"{"é":}"#, 6), ("[1", 2), ("\"\u{1}\"", 1), ("1 2", 2),
    ]
    for (text, offset) in cases { #expect(throws: JSONProblem.syntax(offset: offset)) { try json(text) } }
  }

  @Test("Escapes are resolved, pairs of surrogates to one scalar")
  func escapes() throws {
    let cases: [(String, String)] = [
      (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u00E9""#, "A\u{E9}\u{E9}"),
      (#""\ud83d\ude00""#, "\u{1F600}"), (#""\uD83D\uDE00""#, "\u{1F600}"), (#""\udbff\udfff""#, "\u{10FFFF}"),
      (#""\ud800\udc00""#, "\u{10000}"), (#""\u0000""#, "\u{0}"), (#""\uffff\ufeff""#, "\u{FFFF}\u{FEFF}"),
      (#""\u2028""#, "\u{2028}"), (#""e\u0301""#, decomposed), (#""x\u0022y""#, "x\"y"),
      ("\"\u{7F}\u{80}\"", "\u{7F}\u{80}"),
      ("\"\u{2028}\u{2029}😀\"", "\u{2028}\u{2029}😀"), ("\"\"", ""), (#""\\u0041""#, "\\u0041"), (#""/""#, "/"),
    ]
    for (text, expected) in cases { #expect(sameBytes(try #require(try json(text).text), expected), "\(text)") }
  }

  @Test("Half of a surrogate pair is refused, whatever follows it")
  func loneSurrogates() {
    let halves = [
      #""\ud83d""#, #""\ude00""#, #""\ud83dx""#, #""\ud83d\n""#, #""\ud83d\u0041""#, #""\ud83d\ud83d""#,
      #""\ude00\ud83d""#,
      #""\udc00""#, #""\udfff""#, #""\udc00\udc00""#, #""\ud800""#, #""\udbff""#, #""\ud83d\ud83d\ude00""#,
    ]
    for text in halves {
      #expect(throws: JSONProblem.loneSurrogate(offset: 1)) { try json(text) }
      #expect(throws: JSONProblem.self) { try json("{\(text):1}") }
    }
    #expect(throws: JSONProblem.loneSurrogate(offset: 13)) { try json(#""\ud83d\ude00\ude00""#) }
    #expect(throws: JSONProblem.self) { try json(#""\ud83d\u00"#) }
    #expect(throws: JSONProblem.self) { try json(#""\ud83d\"#) }
  }

  @Test("Text that is not UTF-8 is refused before anything else")
  func invalidUTF8() {
    for bytes in [
      [0x22, 0xFF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xC3, 0x22], [0x31, 0x80], [0x22, 0xC0, 0x80, 0x22],
    ]
      as [[UInt8]]
    {
      #expect(throws: JSONProblem.invalidUTF8) { try JSONValue(parsing: bytes.span) }
    }
  }

  @Test("Every byte below U+0020 is refused inside a string, and every other scalar of the first two planes is kept")
  func everyScalarInAString() throws {
    var (kept, refused) = (0, 0)
    for value in 0...UInt32(0x2FFF) {
      guard let scalar = Unicode.Scalar(value), scalar != "\"", scalar != "\\" else { continue }
      if let text = try? json("\"a\(scalar)\"").text {
        #expect(sameBytes(text, "a\(scalar)"))
        kept += 1
      } else {
        refused += 1
      }
    }
    #expect(refused == 32)
    #expect(kept == 0x3000 - 32 - 2)
  }

  @Test("A container inside 2,047 others is read, one more is too deep")
  func depth() throws {
    for (open, inner, close) in [("[", "", "]"), (#"{"a":"#, "1", "}")] {
      func text(_ depth: Int) -> String {
        String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
      }
      let deepest = try json(text(2048))
      #expect(deepest.compactText() == text(2048))
      #expect(deepest == (try json(text(2048))))
      #expect(throws: JSONProblem.tooDeep) { try json(text(2049)) }
      #expect(throws: JSONProblem.tooDeep) { try json(String(repeating: open, count: 100_000)) }
    }
    // Depth is not length: as many containers side by side are no trouble.
    #expect(try json("[" + Array(repeating: "[]", count: 5000).joined(separator: ",") + "]").array?.count == 5000)
  }
}
