// Base64 in the two dialects that our formats need. Foundation has neither: its decoder takes non-zero trailing
// bits and refuses what browsers accept. What is decoded here is ciphertext and public; a secret stays out, for the
// result is an Array, and the tables are read at places that depend on the text.

package enum Base64 {
  /// Enough room for what `characters` characters decode to, in either dialect.
  package static func decodedBytes(atMost characters: Int) -> Int { (characters + 3) / 4 * 3 }

  /// v2: exactly what `encode` writes and nothing else (padding present, trailing bits zero, no white space).
  package static func decodeStrict(_ text: Span<UInt8>) -> [UInt8]? { decoded(text, decodeStrict) }

  /// v1: the browsers' `atob` (spec of the seeds' format, section 0). White space anywhere is skipped, one or two
  /// trailing `=` count only where they complete a group of four, and left-over bits are dropped.
  package static func decodeForgiving(_ text: Span<UInt8>) -> [UInt8]? { decoded(text, decodeForgiving) }

  /// Into memory of the caller's, which must have room for `decodedBytes(atMost:)`. Gives back how many bytes came
  /// out, or nil where the text is not strict base64; what was written then means nothing.
  package static func decodeStrict(_ text: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int? {
    guard text.count.isMultiple(of: 4) else { return nil }
    guard !text.isEmpty else { return 0 }
    var characters = text.count
    if text[characters - 1] == padding { characters -= text[characters - 2] == padding ? 2 : 1 }
    return decode(text.extracting(first: characters), isStrict: true, into: &output)
  }

  package static func decodeForgiving(_ text: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int? {
    var compact: [UInt8] = []
    compact.reserveCapacity(text.count)
    for index in text.indices where !isWhiteSpace(text[index]) { compact.append(text[index]) }
    if compact.count.isMultiple(of: 4) {
      for _ in 0..<2 where compact.last == padding { compact.removeLast() }
    }
    return decode(compact.span, isStrict: false, into: &output)
  }

  private static func decoded(
    _ text: Span<UInt8>, _ dialect: (Span<UInt8>, inout MutableSpan<UInt8>) -> Int?
  ) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: decodedBytes(atMost: text.count))
    var output = bytes.mutableSpan
    guard let count = dialect(text, &output) else { return nil }
    bytes.removeLast(bytes.count - count)
    return bytes
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

  /// Characters of the alphabet only, without padding. Nil on any other, or where one is left over; strictly also where
  /// the last one has bits that no byte takes up.
  private static func decode(
    _ characters: Span<UInt8>, isStrict: Bool, into output: inout MutableSpan<UInt8>
  ) -> Int? {
    let left = characters.count % 4
    guard left != 1 else { return nil }
    let groups = characters.count / 4
    let values = DecodeTable.values
    let table = values.span
    var bad = decodeGroups(characters, groups, table, into: &output)
    if left > 0 {
      var tail = table[Int(characters[groups * 4])] | table[256 + Int(characters[groups * 4 + 1])]
      if left == 3 { tail |= table[512 + Int(characters[groups * 4 + 2])] }
      if isStrict, tail & (left == 3 ? 0xFF : 0xFFFF) != 0 { return nil }
      bad |= tail
      output[groups * 3] = UInt8(truncatingIfNeeded: tail >> 16)
      if left == 3 { output[groups * 3 + 1] = UInt8(truncatingIfNeeded: tail >> 8) }
    }
    return bad < DecodeTable.invalid ? groups * 3 + max(left - 1, 0) : nil
  }

  /// Four characters to three bytes by four table look-ups: as fast as OpenSSL's decoder, and safe. Two groups at a
  /// time halve the checks of bounds.
  private static func decodeGroups(
    _ characters: Span<UInt8>, _ groups: Int, _ table: Span<UInt32>, into output: inout MutableSpan<UInt8>
  ) -> UInt32 {
    precondition(table.count == 1024 && output.count >= groups * 3)
    var (from, to) = (0, 0)
    var bad: UInt32 = 0
    for _ in 0..<(groups / 2) {
      let part = characters.extracting(from..<(from &+ 8))
      let first = Self.value(part[0], part[1], part[2], part[3], table)
      let second = Self.value(part[4], part[5], part[6], part[7], table)
      bad |= first | second
      var target = output._mutatingExtracting(to..<(to &+ 6))
      target[0] = UInt8(truncatingIfNeeded: first &>> 16)
      target[1] = UInt8(truncatingIfNeeded: first &>> 8)
      target[2] = UInt8(truncatingIfNeeded: first)
      target[3] = UInt8(truncatingIfNeeded: second &>> 16)
      target[4] = UInt8(truncatingIfNeeded: second &>> 8)
      target[5] = UInt8(truncatingIfNeeded: second)
      from &+= 8
      to &+= 6
    }
    if groups % 2 == 1 {
      let part = characters.extracting(from..<(from &+ 4))
      let last = Self.value(part[0], part[1], part[2], part[3], table)
      bad |= last
      output[to] = UInt8(truncatingIfNeeded: last &>> 16)
      output[to &+ 1] = UInt8(truncatingIfNeeded: last &>> 8)
      output[to &+ 2] = UInt8(truncatingIfNeeded: last)
    }
    return bad
  }

  @inline(__always)
  private static func value(
    _ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8, _ table: Span<UInt32>
  ) -> UInt32 {
    table[Int(first)] | table[256 &+ Int(second)] | table[512 &+ Int(third)] | table[768 &+ Int(fourth)]
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
private enum DecodeTable {
  /// Any value from here on came from a character outside the alphabet.
  static let invalid: UInt32 = 1 << 24

  static let values: [UInt32] = {
    var values = [UInt32](repeating: invalid, count: 1024)
    for (value, character) in Base64.alphabet.enumerated() {
      for position in 0..<4 {
        values[position * 256 + Int(character)] = UInt32(value) << UInt32(18 - 6 * position)
      }
    }
    return values
  }()
}
