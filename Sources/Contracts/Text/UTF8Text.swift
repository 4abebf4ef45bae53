// UTF-8 as the web's decoder reads it: valid, or with every maximal wrong part replaced by U+FFFD and one leading
// byte-order mark dropped. Both answers come from one state machine.

package enum UTF8Text {
  /// True when the bytes are valid UTF-8 (no surrogates, nothing overlong, nothing above U+10FFFF).
  package static func isValid(_ bytes: Span<UInt8>) -> Bool {
    var index = ByteRuns.ascii(bytes, from: 0)
    var decoder = Decoder()
    while index < bytes.count {
      guard decoder.accept(bytes[index]) == .fine else { return false }
      index += 1
      if decoder.isBetweenCharacters { index = ByteRuns.ascii(bytes, from: index) }
    }
    return decoder.isBetweenCharacters
  }

  /// The repaired bytes, one at a time, so that the caller decides what memory they go to.
  package static func repair(_ bytes: Span<UInt8>, _ emit: (UInt8) -> Void) {
    var start = 0
    if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { start = 3 }
    var decoder = Decoder()
    var index = start
    while index < bytes.count {
      switch decoder.accept(bytes[index]) {
      case .fine:
        index += 1
        if decoder.isBetweenCharacters {
          for position in start..<index { emit(bytes[position]) }
          start = index
        }
      case .wrongByte:  // A byte that can begin nothing is replaced by itself.
        emitReplacement(emit)
        index += 1
        start = index
      case .cutShort:  // What came before it is replaced; the byte is looked at again as a beginning.
        emitReplacement(emit)
        start = index
      }
    }
    if start < index { emitReplacement(emit) }
  }

  private static func emitReplacement(_ emit: (UInt8) -> Void) {
    emit(0xEF)
    emit(0xBF)
    emit(0xBD)
  }

  /// The WHATWG decoder's state: how many bytes are still to come, and what the next one may be.
  private struct Decoder {
    enum Verdict { case fine, wrongByte, cutShort }

    private var needed = 0
    private var allowed: ClosedRange<UInt8> = 0x80...0xBF

    var isBetweenCharacters: Bool { needed == 0 }

    mutating func accept(_ byte: UInt8) -> Verdict {
      if needed > 0 {
        guard allowed.contains(byte) else {
          self = Decoder()
          return .cutShort
        }
        allowed = 0x80...0xBF
        needed -= 1
        return .fine
      }
      switch byte {
      case 0x00...0x7F: return .fine
      case 0xC2...0xDF: needed = 1
      case 0xE0: (needed, allowed) = (2, 0xA0...0xBF)
      case 0xED: (needed, allowed) = (2, 0x80...0x9F)
      case 0xE1...0xEF: needed = 2
      case 0xF0: (needed, allowed) = (3, 0x90...0xBF)
      case 0xF4: (needed, allowed) = (3, 0x80...0x8F)
      case 0xF1...0xF3: needed = 3
      default: return .wrongByte
      }
      return .fine
    }
  }
}
