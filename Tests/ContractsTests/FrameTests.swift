// The encoding that every derivation, label and hash of v2 is made over.

import Contracts
import Testing

@Suite("frame")
struct FrameTests {
  @Test("Each part is its length in four bytes, big-endian, and then its bytes")
  func knownBytes() throws {
    var frame = Frame()
    #expect(frame.bytes == [])
    frame.add("ab")
    #expect(frame.bytes == [0, 0, 0, 2, 0x61, 0x62])
    frame.add([0xFF] as [UInt8])
    frame.add("")
    frame.add(10)
    frame.add(Int64.max)
    frame.add(Identifier(decomposed))
    frame.add(try TableName("t"))
    let expected: [[UInt8]] = [
      [0, 0, 0, 2, 0x61, 0x62], [0, 0, 0, 1, 0xFF], [0, 0, 0, 0], [0, 0, 0, 2, 0x31, 0x30],
      [0, 0, 0, 19] + Array("9223372036854775807".utf8), [0, 0, 0, 3, 0x65, 0xCC, 0x81], [0, 0, 0, 1, 0x74],
    ]
    #expect(frame.bytes == expected.flatMap(\.self))
  }

  @Test("A long part uses all the bytes of its length")
  func longPart() {
    var frame = Frame()
    frame.add([UInt8](repeating: 7, count: 0x01_02_03))
    #expect(Array(frame.bytes.prefix(5)) == [0, 1, 2, 3, 7])
    #expect(frame.bytes.count == 4 + 0x01_02_03)
  }

  @Test("Text, identifiers and bytes with the same UTF-8 make the same part")
  func spellings() {
    var (text, bytes, identifier) = (Frame(), Frame(), Frame())
    text.add(composed)
    bytes.add(Array(composed.utf8))
    identifier.add(Identifier(composed))
    #expect(text == bytes)
    #expect(text == identifier)
    var other = Frame()
    other.add(decomposed)
    #expect(text != other)
  }

  @Test("However the same bytes are split into parts, no two splits share an encoding")
  func injective() {
    var random = SeededRandom(seed: 1)
    var seen: [[UInt8]: [[UInt8]]] = [:]
    for round in 0..<4000 {
      // Few and small byte values, zeros above all, so that lengths and contents look alike.
      let whole = (0..<(round % 12)).map { _ in UInt8([0, 0, 0, 1, 4].randomElement(using: &random) ?? 0) }
      let parts = split(whole, using: &random)
      var frame = Frame()
      for part in parts { frame.add(part) }
      if let former = seen[frame.bytes] { #expect(former == parts) }
      seen[frame.bytes] = parts
      #expect(takenApart(frame.bytes) == parts)
      #expect(read(frame.bytes) == parts)
    }
    #expect(seen.count > 2000)
    #expect(Set(seen.values).count == seen.count)
  }

  @Test("Moving a byte over the border between two parts changes the frame")
  func borders() {
    func framed(_ parts: String...) -> [UInt8] {
      var frame = Frame()
      for part in parts { frame.add(part) }
      return frame.bytes
    }
    #expect(framed("user", "1table") != framed("user1", "table"))
    #expect(framed("a", "") != framed("", "a"))
    #expect(framed("a") != framed("a", ""))
    #expect(framed() != framed(""))
    #expect(framed("1", "1") != framed("11"))
  }

  @Test("A reader takes a frame apart, and ends where the bytes are cut short or say more than they hold")
  func reading() {
    var frame = Frame()
    for part in ["mandate", "", composed] { frame.add(part) }
    var reader = FrameReader(frame.bytes)
    #expect(reader.nextText() == "mandate")
    #expect(!reader.isAtEnd)
    #expect(reader.next() == [])
    #expect(reader.next() == [0xC3, 0xA9])
    #expect(reader.isAtEnd)
    #expect(reader.next() == nil)
    for length in frame.bytes.indices {
      let parts = read(Array(frame.bytes.prefix(length)))
      #expect(parts == nil || [0, 11, 15].contains(length), "cut at \(length)")
    }
    for bytes in [[0], [0, 0, 0], [0, 0, 0, 1], [0xFF, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0, 1], [0, 0, 0, 2, 1]]
      as [[UInt8]]
    {
      var reader = FrameReader(bytes)
      #expect(reader.next() == nil)
      #expect(!reader.isAtEnd)
    }
  }

  @Test("A part that is no UTF-8 is no text, and is still a part")
  func partsThatAreNoText() {
    for bytes in [[0xFF], [0xED, 0xA0, 0x80], [0xC3]] as [[UInt8]] {
      var frame = Frame()
      frame.add(bytes)
      var (texts, parts) = (FrameReader(frame.bytes), FrameReader(frame.bytes))
      #expect(texts.nextText() == nil)
      #expect(parts.next() == bytes)
    }
  }

  /// All parts, or nil where the bytes are no frame.
  private func read(_ bytes: [UInt8]) -> [[UInt8]]? {
    var reader = FrameReader(bytes)
    var parts: [[UInt8]] = []
    while !reader.isAtEnd {
      guard let part = reader.next() else { return nil }
      parts.append(part)
    }
    return parts
  }

  /// Cuts `whole` into up to five parts, empty ones among them.
  private func split(_ whole: [UInt8], using random: inout SeededRandom) -> [[UInt8]] {
    let cuts = (0..<Int.random(in: 0...4, using: &random)).map { _ in Int.random(in: 0...whole.count, using: &random) }
    let borders = [0] + cuts.sorted() + [whole.count]
    return zip(borders, borders.dropFirst()).map { Array(whole[$0..<$1]) }
  }

  /// The inverse of a frame, written against the format's page alone.
  private func takenApart(_ bytes: [UInt8]) -> [[UInt8]]? {
    var rest = bytes[...]
    var parts: [[UInt8]] = []
    while !rest.isEmpty {
      guard rest.count >= 4 else { return nil }
      let length = rest.prefix(4).reduce(0) { $0 * 256 + Int($1) }
      guard rest.count >= 4 + length else { return nil }
      parts.append(Array(rest.dropFirst(4).prefix(length)))
      rest = rest.dropFirst(4 + length)
    }
    return parts
  }
}
