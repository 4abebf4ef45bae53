// What the fold relies on below it: names that are equal only byte by byte, and the order of UTF-16 told from UTF-8.

import Contracts
import Testing

@Suite("Text below the fold")
struct TextOrderTests {
  /// Characters from every length of UTF-8 and both sides of every border.
  private static let characters: [Unicode.Scalar] = [
    "\0", "a", "\u{7F}", "\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{E9}", "\u{FFFD}", "\u{FFFF}",
    "\u{10000}", "\u{1F600}", "\u{10FFFF}", "\u{301}",
  ]

  @Test("Texts are ordered by UTF-16 code unit, as their code units themselves say")
  func order() {
    var looked = 0
    var random = SeededGenerator(seed: 1)
    var texts = [""] + Self.characters.map { String($0) }
    for _ in 0..<150 {
      var text = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        text.append(Self.characters.randomElement(using: &random) ?? "a")
      }
      texts.append(String(text))
    }
    for left in texts {
      for right in texts {
        looked += 1
        #expect(
          precedesInUTF16(left, right) == Array(left.utf16).lexicographicallyPrecedes(Array(right.utf16)),
          "\(left.unicodeScalars.map(\.value)) and \(right.unicodeScalars.map(\.value))")
        #expect((JSONString(left) == JSONString(right)) == (Array(left.utf8) == Array(right.utf8)))
      }
    }
    #expect(looked > 20_000)
  }

  @Test("Equal names have equal hashes, also where one text is a piece of another")
  func hashes() {
    let whole = "prefix of a rather long name, longer than fifteen bytes é"
    let piece = String(("xx" + whole).dropFirst(2))
    #expect(JSONString(whole) == JSONString(piece))
    #expect(JSONString(whole).hashValue == JSONString(piece).hashValue)
    #expect(JSONString("") != JSONString("\0"))
    #expect(JSONString("").hashValue != JSONString("\0").hashValue)
  }

  @Test(
    "An object keeps the first place and the last value of a repeated key, be it short or long",
    arguments: [3, 8, 9, 40])
  func repeatedKeys(count: Int) {
    let pairs = (0..<count).map { (JSONString("k\($0)"), JSONValue.number(JSONNumber($0))) }
    let object = JSONObject(pairs + [(JSONString("k1"), .null)])
    #expect(object.count == count)
    #expect(object.members[1].key.text == "k1")
    #expect(object["k1"] == .null)
  }

  @Test("A string without escapes is read as it stands, one with escapes with them resolved")
  func strings() throws {
    #expect(
      try JSONValue(parsing: "\"\u{1F600} e\u{301}, longer than fifteen bytes\"").text
        == "\u{1F600} e\u{301}, longer than fifteen bytes")
    #expect(try JSONValue(parsing: #""é\n😀""#).text == "\u{E9}\n\u{1F600}")
    #expect(try JSONValue(parsing: "\"\"").text == "")
  }
}
