// Writes text up to a number of UTF-16 units, the measure of the seeds' system, and an ellipsis where more was to come.
// A character that would be cut in half is left out as a whole (deviation 1).

import Contracts

struct CutText {
  private let most: Int
  private var units = 0
  /// True from the first character on that did not fit: nothing is written any more, and callers may stop asking.
  private(set) var isFull = false

  /// Nil for text of any length.
  init(atMost most: Int?) { self.most = most ?? .max }

  mutating func write(_ scalar: Unicode.Scalar, to sink: inout some ByteSink & ~Copyable) {
    guard !isFull else { return }
    let width = scalar.value > 0xFFFF ? 2 : 1
    guard most - units >= width else {
      isFull = true
      return
    }
    units += width
    sink.append(scalar)
  }

  /// Words of our own, without anything to escape.
  mutating func write(_ words: String, to sink: inout some ByteSink & ~Copyable) {
    for scalar in words.unicodeScalars { write(scalar, to: &sink) }
  }

  /// To be called once, at the end.
  func finish(_ sink: inout some ByteSink & ~Copyable) {
    if isFull { sink.append("…" as Unicode.Scalar) }
  }
}

extension ByteSink where Self: ~Copyable {
  /// The character's UTF-8.
  mutating func append(_ scalar: Unicode.Scalar) {
    let value = scalar.value
    switch value {
    case 0..<0x80: append(UInt8(truncatingIfNeeded: value))
    case 0x80..<0x800:
      append(0xC0 | UInt8(truncatingIfNeeded: value >> 6))
      appendTail(value)
    case 0x800..<0x10000:
      append(0xE0 | UInt8(truncatingIfNeeded: value >> 12))
      appendTail(value >> 6)
      appendTail(value)
    default:
      append(0xF0 | UInt8(truncatingIfNeeded: value >> 18))
      appendTail(value >> 12)
      appendTail(value >> 6)
      appendTail(value)
    }
  }

  private mutating func appendTail(_ value: UInt32) { append(0x80 | UInt8(truncatingIfNeeded: value & 0x3F)) }
}
