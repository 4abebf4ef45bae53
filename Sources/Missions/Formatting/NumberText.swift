// A number as JavaScript spells it, written from the digits that stand in the text: neither a String nor a double is
// made of it. Up to fifteen digits between 1e-307 and 1e308 this is exactly JavaScript's spelling, because no two such
// numbers are one double; and so it is for whatever a JavaScript program wrote. A number with more digits than a double
// holds keeps them, also at the ends, where doubles have fewer. `Vectors/planner-input-v2.1.json` has all of these.

import Contracts

struct NumberText {
  /// The first and the last digit that is not zero; nil for zero.
  private let significant: ClosedRange<Int>?
  private let isNegative: Bool
  /// Where the decimal point stands, counted from the first significant digit.
  private let point: Int
  /// How many digits stand from the first to the last significant one.
  private let digits: Int

  /// Doubles end below 1.8e308; the digits decide at the edge, which is written as it stands.
  private static let largestPoint = 309
  private static let smallestPoint = -323
  /// More than any exponent that means something, so that adding to it stays in range.
  private static let largestExponent = 1_000_000

  init(_ node: JSONTape.Node, in text: Span<UInt8>) {
    precondition(node.kind == .number, "only a number has digits")
    var (first, last): (Int?, Int) = (nil, 0)
    var (seen, seenAtFirst, seenAtLast, beforePoint): (Int, Int, Int, Int?) = (0, 0, 0, nil)
    var offset = Int(node.start)
    let negative = text[offset] == UInt8(ascii: "-")
    if negative { offset += 1 }
    while offset < Int(node.end) {
      let byte = text[offset]
      if byte == UInt8(ascii: ".") {
        beforePoint = seen
      } else if (0x30...0x39).contains(byte) {
        seen += 1
        if byte != 0x30 {
          if first == nil { (first, seenAtFirst) = (offset, seen) }
          (last, seenAtLast) = (offset, seen)
        }
      } else {
        break
      }
      offset += 1
    }
    isNegative = negative
    significant = first.map { $0...last }
    digits = seenAtLast - seenAtFirst + 1
    point = (beforePoint ?? seen) - seenAtFirst + 1 + Self.exponent(from: offset, to: Int(node.end), in: text)
  }

  private static func exponent(from start: Int, to end: Int, in text: Span<UInt8>) -> Int {
    guard start < end else { return 0 }
    var (offset, value, isNegative) = (start + 1, 0, false)
    while offset < end {
      switch text[offset] {
      case UInt8(ascii: "-"): isNegative = true
      case UInt8(ascii: "+"): break
      default: value = min(value * 10 + Int(text[offset] - 0x30), largestExponent)
      }
      offset += 1
    }
    return isNegative ? -value : value
  }

  var isInfinite: Bool { significant != nil && point > Self.largestPoint }

  func write(_ text: Span<UInt8>, to cut: inout CutText, _ sink: inout some ByteSink & ~Copyable) {
    guard let significant, point >= Self.smallestPoint else { return cut.write("0", to: &sink) }
    if isNegative { cut.write("-", to: &sink) }
    guard !isInfinite else { return cut.write("Infinity", to: &sink) }
    // ECMAScript's Number::toString, step by step.
    var written = 0
    func mark(before place: Int) -> Bool { place == written && written > 0 }
    let isPlain = point > -6 && point <= 21
    let pointPlace = isPlain ? point : 1
    if isPlain, point <= 0 {
      cut.write("0.", to: &sink)
      for _ in 0..<(-point) { cut.write("0", to: &sink) }
    }
    for offset in significant where text[offset] != UInt8(ascii: ".") {
      if mark(before: pointPlace) { cut.write(".", to: &sink) }
      cut.write(Unicode.Scalar(text[offset]), to: &sink)
      written += 1
      guard !cut.isFull else { return }
    }
    if isPlain {
      while written < point {
        cut.write("0", to: &sink)
        written += 1
      }
    } else {
      cut.write(point - 1 < 0 ? "e-" : "e+", to: &sink)
      writeDecimal(abs(point - 1), to: &cut, &sink)
    }
  }

  private func writeDecimal(_ value: Int, to cut: inout CutText, _ sink: inout some ByteSink & ~Copyable) {
    if value >= 10 { writeDecimal(value / 10, to: &cut, &sink) }
    cut.write(Unicode.Scalar(UInt8(0x30 + value % 10)), to: &sink)
  }
}
