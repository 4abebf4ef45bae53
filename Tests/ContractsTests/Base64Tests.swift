// Both dialects of base64 against the rules and examples of the formats' page and a slow model.

import Contracts
import Testing

@Suite("Base64 in two dialects")
struct Base64Tests {
  @Test(
    "The examples of RFC 4648 hold in both dialects and in writing",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"),
    ])
  func knownAnswers(plain: String, text: String) {
    #expect(encoded(Array(plain.utf8)) == text)
    #expect(strict(text) == Array(plain.utf8))
    #expect(forgiving(text) == Array(plain.utf8))
  }

  @Test("The forgiving reader takes what atob takes")
  func forgivingExamples() {
    for text in ["YQ", "YQ==", "YR==", " Y Q==", "YR", "\tY\nQ\u{C}=\r= ", "Y Q = ="] {
      #expect(forgiving(text) == [0x61])
    }
    for text in ["YWI", "YWI=", "YWJ=", "YWK", "YWL="] { #expect(forgiving(text) == [0x61, 0x62]) }
    for text in ["", " ", "\t\n\u{C}\r "] { #expect(forgiving(text) == []) }
    #expect(forgiving("null") == [0x9E, 0xE9, 0x65], "the text that a JSON null becomes")
    #expect(forgiving("+/+/") == [0xFB, 0xFF, 0xBF])
  }

  @Test("The forgiving reader refuses what atob refuses")
  func forgivingRefusals() {
    let refused = [
      "YQ=", "YQ===", "====", "Y", "Y=Q=", "=", "==", "===", "Y===", "YQ==YQ==", "YQ==Y", "=YQ=", "YWI==", "YWJj=",
      "YWJj==", "YQ-_", "ab-c", "ab_c", "Y\u{B}Q==", "Y\u{A0}Q==", "Y\u{0}Q=", "YQ==\u{0}", "YQ.=", "undefined",
      "\u{FEFF}YQ=", "\u{2028}Q==", "Ｙ",
    ]
    for text in refused { #expect(forgiving(text) == nil, "\(text.debugDescription)") }
  }

  @Test("The strict reader takes no spelling but the one that is written")
  func strictExamples() {
    #expect(strict("") == [])
    #expect(strict("YQ==") == [0x61])
    #expect(strict("YWI=") == [0x61, 0x62])
    let refused = [
      "YQ", "YR==", " YQ==", "YQ==\n", "Y Q==", "YQ=", "YQ===", "YWI", "YWJ=", "====", "===", "==", "=", "Y===", "Y",
      "YQ==YQ==", "YWI==", "Y=Q=", "=YQ=", "YQ-_", " ", "    ", "Z\u{B}==",
    ]
    for text in refused { #expect(strict(text) == nil, "\(text.debugDescription)") }
  }

  @Test("Every string of up to two bytes is read as the model reads it")
  func everyShortString() {
    var texts: [[UInt8]] = [[]]
    for first in UInt8.min...UInt8.max {
      texts.append([first])
      for second in UInt8.min...UInt8.max { texts.append([first, second]) }
    }
    #expect(texts.count == 1 + 256 + 65_536)
    #expect(disagreements(texts) == [])
    #expect(texts.count { forgiving($0) != nil } == 1 + 5 + 25 + 64 * 64)
    #expect(texts.count { strict($0) != nil } == 1)
  }

  @Test("Every string of up to five characters from a wily alphabet is read as the model reads it")
  func everyWilyString() {
    let wily = Array("AQRg/= \n-\u{B}".utf8)
    let texts = (0...4).flatMap { strings(of: wily, length: $0) } + strings(of: Array("AR= -".utf8), length: 5)
    #expect(texts.count == 1 + 10 + 100 + 1000 + 10_000 + 3125)
    #expect(disagreements(texts) == [])
  }

  @Test("Every two-character tail is read, and only the sixteen without left-over bits strictly for each first one")
  func twoCharacterTails() {
    var strictly = 0
    for first in Base64Model.alphabet {
      for second in Base64Model.alphabet {
        let padded = [first, second, 0x3D, 0x3D]
        let expected = Base64Model.forgiving(padded)
        #expect(expected?.count == 1)
        #expect(forgiving(padded) == expected)
        #expect(forgiving([first, second]) == expected)
        let found = strict(padded)
        #expect(found == Base64Model.strict(padded))
        if found != nil { strictly += 1 }
      }
    }
    #expect(strictly == 256)
  }

  @Test("Every three-character tail is read, and strictly only where its two left-over bits are zero")
  func threeCharacterTails() {
    var (strictly, wrong) = (0, 0)
    for first in [UInt8(ascii: "A"), UInt8(ascii: "k"), UInt8(ascii: "/")] {
      for second in Base64Model.alphabet {
        for third in Base64Model.alphabet {
          let padded = [first, second, third, 0x3D]
          let expected = Base64Model.forgiving(padded)
          if forgiving(padded) != expected || forgiving([first, second, third]) != expected { wrong += 1 }
          let found = strict(padded)
          if found != Base64Model.strict(padded) { wrong += 1 }
          if found != nil { strictly += 1 }
        }
      }
    }
    #expect(wrong == 0)
    #expect(strictly == 3 * 64 * 16)
  }

  @Test("In each place of a group, exactly the 64 characters of the alphabet are read")
  func everyByteInEveryPlace() {
    for place in 0..<8 {
      var read: [UInt8] = []
      for byte in UInt8.min...UInt8.max {
        var text = Array("QUJDREVG".utf8)
        text[place] = byte
        let found = strict(text)
        #expect(found == Base64Model.strict(text))
        if found != nil, byte != 0x3D { read.append(byte) }
      }
      #expect(Set(read) == Set(Base64Model.alphabet))
    }
  }

  @Test("What is written reads back in both dialects, for every length from 0 to 300")
  func roundTrip() {
    var random = SeededRandom(seed: 64)
    for length in 0...300 {
      let bytes = random.bytes(length)
      let text = Array(encoded(bytes).utf8)
      #expect(text == Base64Model.encode(bytes))
      #expect(strict(text) == bytes)
      #expect(forgiving(text) == bytes)
      #expect(forgiving(text.filter { $0 != 0x3D }) == bytes)
      #expect(forgiving(Array(text.map { [$0, 0x0A] }.joined())) == bytes)
      #expect(length.isMultiple(of: 3) || strict(text.filter { $0 != 0x3D }) == nil)
    }
  }

  @Test("One wrong character anywhere in a long text is found")
  func wrongCharacterAnywhere() {
    let text = Array(encoded([UInt8](repeating: 0xA5, count: 96)).utf8)
    #expect(text.count == 128)
    for position in text.indices {
      for wrong in [0x00, 0x2D, 0x2E, 0x3D, 0x5F, 0x80, 0xFF] as [UInt8] {
        var changed = text
        changed[position] = wrong
        // A "=" in the very last place is padding, and what stands before it may or may not end well.
        #expect(forgiving(changed) == Base64Model.forgiving(changed))
        #expect(strict(changed) == Base64Model.strict(changed))
        #expect(forgiving(changed) == nil || (position == 127 && wrong == 0x3D))
      }
    }
  }

  @Test("Decoding into memory of the caller's gives the same bytes, and needs no more room than it says")
  func intoMemory() {
    var random = SeededRandom(seed: 3)
    for length in 0...100 {
      let bytes = random.bytes(length)
      let text = Array(encoded(bytes).utf8)
      let room = Base64.decodedBytes(atMost: text.count)
      for unpadded in [text, text.filter { $0 != 0x3D }] {
        var memory = [UInt8](repeating: 0xEE, count: Base64.decodedBytes(atMost: unpadded.count))
        var output = memory.mutableSpan
        let count = Base64.decodeForgiving(unpadded.span, into: &output)
        #expect(count == length)
        #expect(Array(memory.prefix(length)) == bytes)
      }
      var memory = [UInt8](repeating: 0xEE, count: room + 5)
      var output = memory.mutableSpan
      let count = Base64.decodeStrict(text.span, into: &output)
      #expect(count == length)
      #expect(Array(memory.prefix(length)) == bytes)
      #expect(memory.suffix(5).allSatisfy { $0 == 0xEE })
    }
  }

  private func strings(of letters: [UInt8], length: Int) -> [[UInt8]] {
    length == 0 ? [[]] : strings(of: letters, length: length - 1).flatMap { text in letters.map { text + [$0] } }
  }

  /// The texts that either reader reads differently from the model.
  private func disagreements(_ texts: [[UInt8]]) -> [[UInt8]] {
    texts.filter { forgiving($0) != Base64Model.forgiving($0) || strict($0) != Base64Model.strict($0) }
  }
}
