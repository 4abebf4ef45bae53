// The browsers' forgiving base64 for keys. Contracts' decoder is for ciphertext: it gathers characters in an Array and
// looks values up at places that depend on them. Here every character stays in locked memory and becomes its value by
// arithmetic alone.

import Secrets

enum SecretBase64 {
  /// Nil where the text is not base64; the rules are those of `Base64.decodeForgiving`.
  static func decodeForgiving(_ text: Span<UInt8>) throws(SecretError) -> SecretBytes? {
    var compact = try SecretBytes(zeroed: text.count)
    var kept = compact.mutableBytes
    var count = 0
    for index in text.indices where !isWhiteSpace(text[index]) {
      kept[count] = text[index]
      count += 1
    }
    if count.isMultiple(of: 4) {
      for _ in 0..<2 where count > 0 && kept[count - 1] == UInt8(ascii: "=") { count -= 1 }
    }
    guard count % 4 != 1 else { return nil }
    var decoded = try SecretBytes(zeroed: count * 3 / 4)
    var target = decoded.mutableBytes
    var (gathered, bits, written): (UInt32, Int, Int) = (0, 0, 0)
    var bad: UInt32 = 0
    for index in 0..<count {
      let value = value(of: kept[index])
      bad |= value & 0xC0
      gathered = gathered << 6 | (value & 63)
      bits += 6
      if bits >= 8 {
        bits -= 8
        target[written] = UInt8(truncatingIfNeeded: gathered >> UInt32(bits))
        written += 1
      }
    }
    guard bad == 0 else { return nil }
    return decoded
  }

  /// 0 to 63, or something above where the character is not of the alphabet.
  private static func value(of character: UInt8) -> UInt32 {
    let code = UInt32(character)
    var value: UInt32 = 0
    var found: UInt32 = 0
    for (first, last, start) in [
      (0x41, 0x5A, 0), (0x61, 0x7A, 26), (0x30, 0x39, 52), (0x2B, 0x2B, 62), (0x2F, 0x2F, 63),
    ]
      as [(UInt32, UInt32, UInt32)]
    {
      // All ones where first <= code <= last, else zero; no branch looks at the character.
      let inside = ~(((code &- first) | (last &- code)) >> 31) & 1
      value |= (code &- first &+ start) & (0 &- inside)
      found |= inside
    }
    return value | ((found ^ 1) << 6)
  }

  private static func isWhiteSpace(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x09, 0x0A, 0x0C, 0x0D, 0x20: true
    default: false
    }
  }
}
