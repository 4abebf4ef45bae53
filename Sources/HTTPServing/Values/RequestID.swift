// Request ids: ours, or an internal caller's if it is sane. They find a request in the logs and are no secret.

struct RequestID {
  private var random = SystemRandomNumberGenerator()
  private var state: UInt64

  init() { state = random.next() }

  /// 32 hexadecimal digits. The generator is SplitMix64: ids must differ, not resist.
  mutating func next() -> String {
    var digits: [UInt8] = []
    digits.reserveCapacity(32)
    for _ in 0..<2 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      mixed ^= mixed >> 31
      for shift in stride(from: 60, through: 0, by: -4) {
        let digit = UInt8(truncatingIfNeeded: mixed >> UInt64(shift)) & 15
        digits.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
      }
    }
    return String(decoding: digits, as: UTF8.self)
  }

  /// Letters, digits, dot, dash and underscore, 64 at most: it goes into logs and back into a header.
  static func isSane(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 64
      && text.utf8.allSatisfy { byte in
        RequestBytes.isDigit(byte) || (0x61...0x7A).contains(RequestBytes.lowered(byte)) || "._-".utf8.contains(byte)
      }
  }
}
