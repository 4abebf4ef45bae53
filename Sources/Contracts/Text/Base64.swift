// Base64 in the two dialects that our formats need. Foundation has neither: its decoder takes non-zero trailing
// bits and refuses what browsers accept, and its results are Data, which a secret may not become.

package enum Base64 {
  /// v2: exactly what `encode` writes and nothing else (padding present, trailing bits zero, no white space).
  package static func decodeStrict(_ text: Span<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    return decodeStrict(text, appendingTo: &bytes) ? bytes : nil
  }

  /// The same behind what `bytes` holds, so that one buffer serves many values. False where the text is not strict
  /// base64; what `bytes` holds from its former end on then means nothing.
  package static func decodeStrict(_ text: Span<UInt8>, appendingTo bytes: inout [UInt8]) -> Bool {
    guard text.count.isMultiple(of: 4) else { return false }
    guard !text.isEmpty else { return true }
    var characters = text.count
    if text[characters - 1] == padding { characters -= text[characters - 2] == padding ? 2 : 1 }
    guard trailingBits(text, characters) == 0 else { return false }
    return decode(text.extracting(first: characters), appendingTo: &bytes)
  }

  /// v1: the browsers' `atob` (spec of the seeds' format, section 0). White space anywhere is skipped, one or two
  /// trailing `=` count only where they complete a group of four, and left-over bits are dropped.
  package static func decodeForgiving(_ text: Span<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    return decodeForgiving(text, appendingTo: &bytes) ? bytes : nil
  }

  package static func decodeForgiving(_ text: Span<UInt8>, appendingTo bytes: inout [UInt8]) -> Bool {
    var compact: [UInt8] = []
    compact.reserveCapacity(text.count)
    for index in text.indices where !isWhiteSpace(text[index]) { compact.append(text[index]) }
    if compact.count.isMultiple(of: 4) {
      for _ in 0..<2 where compact.last == padding { compact.removeLast() }
    }
    return decode(compact.span, appendingTo: &bytes)
  }

  /// Standard alphabet, padded, no line breaks; written as bytes, so that what may not become a String need not.
  package static func encode(_ bytes: Span<UInt8>, _ emit: (UInt8) -> Void) {
    var index = 0
    while index < bytes.count {
      let left = min(bytes.count - index, 3)
      var group = UInt32(bytes[index]) << 16
      if left > 1 { group |= UInt32(bytes[index + 1]) << 8 }
      if left > 2 { group |= UInt32(bytes[index + 2]) }
      for position in 0..<4 {
        emit(position <= left ? alphabet[Int(group >> UInt32(18 - 6 * position)) & 63] : padding)
      }
      index += 3
    }
  }

  package static func encode(_ bytes: Span<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    encode(bytes) { text.append($0) }
    return String(decoding: text, as: UTF8.self)
  }

  // MARK: The decoder both dialects share

  /// Characters of the alphabet only, without padding. False on any other, or where one is left over.
  private static func decode(_ characters: Span<UInt8>, appendingTo bytes: inout [UInt8]) -> Bool {
    let left = characters.count % 4
    guard left != 1 else { return false }
    let groups = characters.count / 4
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: groups * 3 + max(left - 1, 0)))
    var whole = bytes.mutableSpan
    var output = whole._mutatingExtracting(droppingFirst: start)
    var bad = decodeGroups(characters, groups, into: &output)
    if left > 0 {
      var tail = DecodeTable.shared.value(characters[groups * 4], at: 0)
      tail |= DecodeTable.shared.value(characters[groups * 4 + 1], at: 1)
      if left == 3 { tail |= DecodeTable.shared.value(characters[groups * 4 + 2], at: 2) }
      bad |= tail
      output[groups * 3] = UInt8(truncatingIfNeeded: tail >> 16)
      if left == 3 { output[groups * 3 + 1] = UInt8(truncatingIfNeeded: tail >> 8) }
    }
    return bad < DecodeTable.invalid
  }

  /// Four characters to three bytes by four table look-ups: as fast as OpenSSL's decoder, and safe.
  private static func decodeGroups(
    _ characters: Span<UInt8>, _ groups: Int, into output: inout MutableSpan<UInt8>
  ) -> UInt32 {
    let shared = DecodeTable.shared
    let table = shared.values.span
    precondition(table.count == 1024 && output.count >= groups * 3)
    var (from, to) = (0, 0)
    var bad: UInt32 = 0
    for _ in 0..<groups {
      let group = characters.extracting(from..<(from &+ 4))
      let value =
        table[Int(group[0])] | table[256 &+ Int(group[1])] | table[512 &+ Int(group[2])] | table[768 &+ Int(group[3])]
      bad |= value
      output[to] = UInt8(truncatingIfNeeded: value >> 16)
      output[to &+ 1] = UInt8(truncatingIfNeeded: value >> 8)
      output[to &+ 2] = UInt8(truncatingIfNeeded: value)
      from &+= 4
      to &+= 3
    }
    return bad
  }

  /// The bits of the last character that no byte takes up; they must be zero in the strict dialect.
  private static func trailingBits(_ text: Span<UInt8>, _ characters: Int) -> UInt32 {
    switch characters % 4 {
    case 2: DecodeTable.shared.value(text[characters - 1], at: 3) & 0b1111
    case 3: DecodeTable.shared.value(text[characters - 1], at: 3) & 0b11
    default: 0
    }
  }

  private static func isWhiteSpace(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x09, 0x0A, 0x0C, 0x0D, 0x20: true
    default: false
    }
  }

  private static let padding: UInt8 = 0x3D
  fileprivate static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
}

/// For each of the four positions in a group, a character's value already shifted to its place.
private final class DecodeTable: Sendable {
  static let shared = DecodeTable()
  /// Any value from here on came from a character outside the alphabet.
  static let invalid: UInt32 = 1 << 24

  let values: InlineArray<1024, UInt32>

  private init() {
    var values = InlineArray<1024, UInt32>(repeating: Self.invalid)
    for (value, character) in Base64.alphabet.enumerated() {
      for position in 0..<4 {
        values[position * 256 + Int(character)] = UInt32(value) << UInt32(18 - 6 * position)
      }
    }
    self.values = values
  }

  func value(_ character: UInt8, at position: Int) -> UInt32 { values[position * 256 + Int(character)] }
}
