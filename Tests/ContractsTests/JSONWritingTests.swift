// JSON text as JSON.stringify writes it.

import Contracts
import Testing

@Suite("Writing JSON")
struct JSONWritingTests {
  @Test("Only the quote, the backslash and what is below U+0020 are escaped, as JSON.stringify escapes them")
  func escapes() {
    func written(_ text: String) -> String { JSONValue.string(text).compactText() }
    let short: [UInt32: String] = [0x08: "b", 0x09: "t", 0x0A: "n", 0x0C: "f", 0x0D: "r", 0x22: "\"", 0x5C: "\\"]
    var escaped = 0
    for value in 0...UInt32(0x2FFF) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let expected: String
      if let letter = short[value] {
        expected = "\"\\\(letter)\""
      } else if value < 0x20 {
        expected = "\"\\u00" + (value < 0x10 ? "0" : "1") + String(value % 16, radix: 16) + "\""
      } else {
        expected = "\"\(scalar)\""
      }
      if expected.hasPrefix("\"\\") { escaped += 1 }
      #expect(sameBytes(written(String(scalar)), expected))
    }
    #expect(escaped == 34)
    #expect(written("</script>\u{7F}\u{2028}\u{2029}😀é/") == "\"</script>\u{7F}\u{2028}\u{2029}😀é/\"")
    #expect(written("\u{1F}") == #""\u001f""#)
  }

  @Test("The text is compact")
  func compact() throws {
    let text = " { \"a\" : [ 1 , true , null , { } , [ ] , \"x y\" ] , \"b\" : { \"c\" : false } } "
    #expect(try json(text).compactText() == #"{"a":[1,true,null,{},[],"x y"],"b":{"c":false}}"#)
    #expect(try json(text).compactBytes() == Array(try json(text).compactText().utf8))
  }

  @Test("Bytes are quoted one by one exactly as a string is quoted whole")
  func quotedBytes() {
    for text in ["", "plain", "\"\\\n\u{0}\u{1F}", "é\u{2028}😀"] {
      var bytes: [UInt8] = []
      JSONValue.quoted(text.utf8) { bytes.append($0) }
      #expect(bytes == JSONValue.string(text).compactBytes())
    }
  }

  @Test("What was written reads back as the same value and writes the same text again, over random values")
  func roundTrip() throws {
    var generator = JSONGenerator(seed: 8259)
    var containers = 0
    for _ in 0..<3000 {
      let value = try json(generator.text())
      let text = value.compactText()
      let again = try json(text)
      #expect(again == value)
      #expect(sameBytes(again.compactText(), text))
      // JavaScript's spelling is a fixed point too.
      let spelled = value.compactText(numbers: .javaScript)
      #expect(sameBytes(try json(spelled).compactText(), spelled))
      if value.array != nil || value.object != nil { containers += 1 }
    }
    #expect(containers > 1000)
  }
}
