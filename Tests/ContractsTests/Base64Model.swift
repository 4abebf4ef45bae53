// Base64 once more, written from the specification alone with strings of binary digits, far too slow to ship. The
// real readers are compared with it.

enum Base64Model {
  static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  private static let values = Dictionary(uniqueKeysWithValues: alphabet.enumerated().map { ($1, $0) })

  static func forgiving(_ text: [UInt8]) -> [UInt8]? {
    var rest = text.filter { ![0x09, 0x0A, 0x0C, 0x0D, 0x20].contains($0) }
    if rest.count % 4 == 0 {
      if rest.hasSuffix("==") { rest.removeLast(2) } else if rest.hasSuffix("=") { rest.removeLast() }
    }
    if rest.count % 4 == 1 { return nil }
    var bits: [Int] = []
    for character in rest {
      guard let value = values[character] else { return nil }
      for place in [32, 16, 8, 4, 2, 1] { bits.append(value / place % 2) }
    }
    return stride(from: 0, to: bits.count - bits.count % 8, by: 8).map { start in
      bits[start..<start + 8].reduce(0) { $0 * 2 + UInt8($1) }
    }
  }

  /// Strict is what the format's page says it is: decoded, encoded again, and equal byte for byte.
  static func strict(_ text: [UInt8]) -> [UInt8]? {
    guard let bytes = forgiving(text), encode(bytes) == text else { return nil }
    return bytes
  }

  static func encode(_ bytes: [UInt8]) -> [UInt8] {
    var bits = bytes.flatMap { byte in [128, 64, 32, 16, 8, 4, 2, 1].map { Int(byte) / $0 % 2 } }
    while bits.count % 6 != 0 { bits.append(0) }
    var text = stride(from: 0, to: bits.count, by: 6).map { start in
      alphabet[bits[start..<start + 6].reduce(0) { $0 * 2 + $1 }]
    }
    while text.count % 4 != 0 { text.append(0x3D) }
    return text
  }
}

extension [UInt8] {
  fileprivate func hasSuffix(_ text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}
