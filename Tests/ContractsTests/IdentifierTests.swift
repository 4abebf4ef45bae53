// Identifiers and table names: bytes, limits and the grammar.

import Contracts
import Testing

@Suite("Identifiers")
struct IdentifierTests {
  @Test("Two spellings of the same letters are two identifiers")
  func bytesNotCanonicalEquivalence() {
    #expect(composed == decomposed, "Swift's own answer, which this type exists to avoid")
    #expect(Identifier(composed) != Identifier(decomposed))
    #expect(Set([Identifier(composed), Identifier(decomposed)]).count == 2)
    #expect(Identifier(composed) == Identifier("\u{E9}"))
    #expect(Identifier("\u{212A}") != Identifier("K"), "the Kelvin sign is canonically a K")
  }

  @Test("Identifiers sort by their UTF-8 bytes")
  func order() {
    #expect(Identifier("Z") < Identifier("a"))
    #expect(Identifier("n10") < Identifier("n9"))
    #expect(Identifier("n") < Identifier("n1"))
    #expect(!(Identifier("n") < Identifier("n")))
    #expect(Identifier(decomposed) < Identifier(composed))
    // By UTF-8 bytes U+E000 comes before U+1F600; by UTF-16 units it comes behind.
    #expect(Identifier("\u{E000}") < Identifier("\u{1F600}"))
  }

  @Test("An identifier gives back the text it was made from")
  func textRoundTrip() throws {
    for text in ["", "n1", composed, decomposed, "\u{0}", "\u{1F600}", "a:b", "\u{FEFF}x", "\r\n"] {
      #expect(sameBytes(Identifier(text).text, text))
      #expect(Identifier(text).utf8 == Array(text.utf8))
    }
    #expect(try Identifier(checking: decomposed).utf8 == [0x65, 0xCC, 0x81])
  }

  @Test("A checked identifier has 1 to 256 bytes, however few characters they are")
  func limits() throws {
    #expect(throws: IdentifierProblem.empty) { try Identifier(checking: "") }
    #expect(try Identifier(checking: "x").utf8.count == 1)
    #expect(try Identifier(checking: String(repeating: "x", count: 256)).utf8.count == 256)
    #expect(throws: IdentifierProblem.tooLong(bytes: 257)) {
      try Identifier(checking: String(repeating: "x", count: 257))
    }
    #expect(try Identifier(checking: String(repeating: composed, count: 128)).utf8.count == 256)
    #expect(throws: IdentifierProblem.tooLong(bytes: 258)) {
      try Identifier(checking: String(repeating: composed, count: 129))
    }
    #expect(throws: IdentifierProblem.tooLong(bytes: 257)) {
      try Identifier(checking: "x" + String(repeating: "\u{1F600}", count: 64))
    }
  }

  @Test("Every control character of C0, DEL and C1 is refused, wherever it stands; their neighbours are not")
  func controlCharacters() throws {
    let controls = Array(0x00...0x1F) + Array(0x7F...0x9F)
    #expect(controls.count == 65)
    for value in controls {
      let scalar = try #require(Unicode.Scalar(UInt32(value)))
      for text in ["\(scalar)", "\(scalar)n", "n\(scalar)", "n\(scalar)n", "n\u{301}\(scalar)"] {
        #expect(throws: IdentifierProblem.controlCharacter) { try Identifier(checking: text) }
      }
    }
    for text in [
      " ", "~", "\u{A0}", "\u{AD}", "\u{200B}", "\u{2028}", "\u{FEFF}", "\u{FFFD}", "\u{FFFF}", "\u{10FFFF}",
    ] {
      #expect(sameBytes(try Identifier(checking: text).text, text))
    }
  }

  @Test("The unchecked identifier of v1 takes any text")
  func v1TakesAnything() {
    #expect(Identifier("").utf8.isEmpty)
    #expect(Identifier("\u{0}").utf8 == [0])
    #expect(Identifier(String(repeating: "x", count: 10_000)).utf8.count == 10_000)
  }
}

@Suite("Table names")
struct TableNameTests {
  @Test("A table name is a letter and then up to 62 letters, digits and underscores")
  func grammar() throws {
    for text in ["a", "Z", "notes", "aiMissions", "t_1", "a1", "A__", "a" + String(repeating: "9", count: 62)] {
      #expect(try TableName(text).text == text)
    }
    let refused = [
      "", "1a", "_a", "9", "a:b", "a.b", "a-b", "a b", " a", "a ", "a\u{0}", "a\n", "é", "a\u{301}", "aé", "\u{212A}",
      "\u{FF41}", "a" + String(repeating: "9", count: 63), "a\u{0661}",
    ]
    for text in refused { #expect(throws: IdentifierProblem.notATableName) { try TableName(text) } }
  }

  @Test("Of the 128 ASCII characters, 52 may begin a table name and 63 may follow")
  func everyCharacter() {
    var (begin, follow) = (0, 0)
    for byte in UInt8.min...0x7F {
      let character = String(decoding: [byte], as: UTF8.self)
      if (try? TableName(character)) != nil { begin += 1 }
      if (try? TableName("a" + character)) != nil { follow += 1 }
    }
    #expect(begin == 52)
    #expect(follow == 63)
  }

  @Test("Table names sort by bytes, and case counts")
  func order() throws {
    #expect(try TableName("Z") < TableName("a"))
    #expect(try TableName("a") < TableName("a1"))
    #expect(try TableName("notes") != TableName("Notes"))
  }
}
