// W3C Trace Context's `traceparent`, version 00. One that is not valid is as good as none: the caller's trace then ends
// here, and nothing of it reaches a log.

package struct TraceParent: Sendable, Equatable {
  /// `00-<32 hex>-<16 hex>-<2 hex>`, exactly as it came.
  package let text: String
  package var traceID: String { String(text.utf8.dropFirst(3).prefix(32).map { Character(UnicodeScalar($0)) }) }

  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 55, bytes[0] == 0x30, bytes[1] == 0x30 else { return nil }
    for (index, byte) in bytes.enumerated() {
      switch index {
      case 2, 35, 52: guard byte == UInt8(ascii: "-") else { return nil }
      default: guard RequestBytes.isDigit(byte) || (0x61...0x66).contains(byte) else { return nil }
      }
    }
    guard bytes[3..<35].contains(where: { $0 != 0x30 }), bytes[36..<52].contains(where: { $0 != 0x30 }) else {
      return nil
    }
    self.text = text
  }
}
