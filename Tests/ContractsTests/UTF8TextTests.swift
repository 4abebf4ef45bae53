// Repair and validity of UTF-8, against Swift's own decoder.

import Contracts
import Testing

@Suite("UTF-8 as the web reads it")
struct UTF8TextTests {
  private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

  @Test(
    "Every maximal wrong part becomes one U+FFFD",
    arguments: [
      ([0x61, 0x80, 0x62], "a\u{FFFD}b"),  // A continuation without a beginning.
      ([0xC3], "\u{FFFD}"),  // Cut off at the end.
      ([0xC3, 0x41], "\u{FFFD}A"),  // Cut short by the next character, which is kept.
      ([0xC0, 0xAF], "\u{FFFD}\u{FFFD}"),  // Overlong; C0 begins nothing.
      ([0xC1, 0xBF], "\u{FFFD}\u{FFFD}"),
      ([0xE0, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),  // Overlong in three.
      ([0xE0, 0x9F, 0xBF], "\u{FFFD}\u{FFFD}\u{FFFD}"),
      ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),  // A surrogate.
      ([0xED, 0xBF, 0xBF], "\u{FFFD}\u{FFFD}\u{FFFD}"),
      ([0xE2, 0x82], "\u{FFFD}"),  // Two thirds of a euro sign are one wrong part.
      ([0xE2, 0x82, 0x41], "\u{FFFD}A"),
      ([0xE2, 0xE2, 0x82, 0xAC], "\u{FFFD}€"),
      ([0xF0, 0x9F, 0x98], "\u{FFFD}"),
      ([0xF0, 0x9F, 0x41], "\u{FFFD}A"),
      ([0xF0, 0x8F, 0xBF, 0xBF], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),  // Overlong in four.
      ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),  // Above U+10FFFF.
      ([0xF5, 0x80, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
      ([0xFE, 0xFF], "\u{FFFD}\u{FFFD}"),
      ([0x41, 0xF0, 0x9F, 0xC3, 0xA9], "A\u{FFFD}é"),
    ] as [([UInt8], String)])
  func repairs(bytes: [UInt8], expected: String) {
    #expect(repaired(bytes) == Array(expected.utf8))
    #expect(!isValidUTF8(bytes))
  }

  @Test("Exactly one leading byte-order mark is dropped, and none further in")
  func byteOrderMark() {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    #expect(repaired(mark) == [])
    #expect(repaired(mark + [0x61]) == [0x61])
    #expect(repaired(mark + mark) == mark)
    #expect(repaired([0x61] + mark) == [0x61] + mark)
    #expect(repaired(mark + [0x80]) == Self.replacement)
    #expect(repaired([0xEF, 0xBB]) == Self.replacement)
    #expect(repaired([0xEF, 0xBB, 0x61]) == Self.replacement + [0x61])
    #expect(isValidUTF8(mark), "dropping it is the reader's business; it is valid")
  }

  @Test("Valid text of every length of sequence is valid and repaired to itself")
  func validText() {
    for text in [
      "", "a", "é", "€", "😀", "\u{0}", "\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}", decomposed,
    ] {
      #expect(isValidUTF8(Array(text.utf8)))
      #expect(repaired(Array(text.utf8)) == Array(text.utf8))
    }
  }

  @Test("Every input of one and two bytes is read as Swift's own decoder reads it")
  func everyShortInput() {
    var (looked, valid, wrong) = (0, 0, 0)
    for first in UInt8.min...UInt8.max {
      for bytes in [[first]] + (UInt8.min...UInt8.max).map({ [first, $0] }) {
        looked += 1
        if !agrees(bytes) { wrong += 1 }
        if isValidUTF8(bytes) { valid += 1 }
      }
    }
    #expect(looked == 256 + 65_536)
    #expect(wrong == 0)
    #expect(valid == 128 + 128 * 128 + 0x780)
  }

  // A first byte that stands alone leaves an input of two bytes, and so does one that the second byte cuts short;
  // both are covered above. What is left is 64 × 64 × 256. They are repaired 256 in a row, each ended by a letter,
  // which ends any sequence.
  @Test("Every input of three bytes whose second may continue the first is read as Swift's own decoder reads it")
  func everyThreeByteInput() {
    var (looked, valid, wrong) = (0, 0, 0)
    for first in UInt8(0xC0)...0xFF {
      for second in UInt8(0x80)...0xBF {
        let row: [UInt8] = (UInt8.min...UInt8.max).flatMap { [first, second, $0, 0x61] }
        looked += row.count / 4
        if !repaired(row).elementsEqual(String(decoding: row, as: UTF8.self).utf8) { wrong += 1 }
        for start in stride(from: 0, to: row.count, by: 4) {
          if UTF8Text.isValid(row.span.extracting(start..<start + 3)) { valid += 1 }
        }
      }
    }
    #expect(looked == 1_048_576)
    #expect(wrong == 0)
    // Two bytes and one ASCII byte, or three bytes without the surrogates.
    #expect(valid == 0x780 * 128 + (0x10000 - 0x800 - 0x800))
  }

  @Test("Long random inputs are read as Swift's own decoder reads them, however the blocks fall")
  func randomInputs() {
    var random = SeededRandom(seed: 8)
    let pieces: [[UInt8]] = [
      [UInt8](repeating: 0x61, count: 63), [UInt8](repeating: 0x61, count: 64), Array("é€😀".utf8), [0xF0, 0x9F],
      [0xE2, 0x82], [0xC3], [0x80], [0xED, 0xA0, 0x80], [0xFF], [0xEF, 0xBB, 0xBF], [0x0A],
    ]
    var (valid, broken) = (0, 0)
    for _ in 0..<4000 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let piece = pieces.randomElement(using: &random) ?? []
        bytes += Bool.random(using: &random) ? piece : random.bytes(Int.random(in: 0...3, using: &random))
      }
      #expect(agrees(bytes))
      if isValidUTF8(bytes) { valid += 1 } else { broken += 1 }
    }
    #expect(valid > 100 && broken > 1000)
  }

  @Test("One wrong byte is found at every position of a long text")
  func wrongByteAnywhere() {
    let text = [UInt8](repeating: 0x61, count: 200)
    for position in text.indices {
      var changed = text
      changed[position] = 0xFF
      #expect(!isValidUTF8(changed))
      #expect(repaired(changed) == text.prefix(position) + Self.replacement + text.dropFirst(position + 1))
    }
  }

  /// Swift's decoder, which keeps the mark that the web's drops; valid means that nothing had to be replaced.
  private func agrees(_ bytes: [UInt8]) -> Bool {
    let text = String(decoding: bytes, as: UTF8.self)
    let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
    guard repaired(bytes).elementsEqual(text.utf8.dropFirst(hasMark ? 3 : 0)) else { return false }
    return isValidUTF8(bytes) == text.utf8.elementsEqual(bytes)
  }
}
