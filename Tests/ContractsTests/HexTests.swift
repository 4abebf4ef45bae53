// Digests and key ids as text.

import Contracts
import Testing

@Suite("Hex")
struct HexTests {
  @Test("Every byte is written as two lower-case digits and read back in either case")
  func everyByte() {
    let digits = Array("0123456789abcdef")
    for byte in UInt8.min...UInt8.max {
      let text = String([digits[Int(byte) / 16], digits[Int(byte) % 16]])
      #expect(Hex.encode([byte]) == text)
      #expect(Hex.decode(text) == [byte])
      #expect(Hex.decode(text.uppercased()) == [byte])
    }
    #expect(Hex.encode([] as [UInt8]) == "")
    #expect(Hex.decode("") == [])
    #expect(Hex.encode([0x00, 0xFF, 0x10]) == "00ff10")
  }

  @Test("Of all pairs of ASCII characters, the 484 pairs of hex digits are read and no other")
  func everyPair() {
    var read = 0
    for first in UInt8.min...0x7F {
      for second in UInt8.min...0x7F {
        if Hex.decode(String(decoding: [first, second], as: UTF8.self)) != nil { read += 1 }
      }
    }
    #expect(read == 22 * 22)
  }

  @Test("Half a byte, signs, prefixes, spaces and full-width digits are refused")
  func refusals() {
    for text in ["0", "000", "0x", "0x00", "+1", "-1", " 00", "00 ", "0 0", "gg", "\u{FF10}\u{FF10}", "é", "0\u{0}"] {
      #expect(Hex.decode(text) == nil)
    }
  }

  @Test("Only the lower-case spelling of the right length is one of ours")
  func lowercaseOnly() {
    #expect(Hex.isLowercase("00ff", count: 4))
    #expect(Hex.isLowercase("", count: 0))
    for text in ["00f", "00fff", "00FF", "00fg", "00f ", "00f\u{0}", "0\u{FF10}", ""] {
      #expect(!Hex.isLowercase(text, count: 4))
    }
  }
}
