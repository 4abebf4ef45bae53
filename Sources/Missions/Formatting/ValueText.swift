// A JSON value on its tape, written as JavaScript would write it after reading it: as compact JSON, or as the text that
// it becomes where a text is wanted. Both stop as soon as no more fits.

import Contracts

struct ValueText {
  private let tape: JSONTape
  var cut: CutText

  init(_ tape: JSONTape, _ cut: CutText) {
    self.tape = tape
    self.cut = cut
  }

  func kind(of index: Int) -> JSONTape.Kind { tape.nodes[index].kind }

  var isEmptyText: Bool { tape.nodes[0].start == tape.nodes[0].end }

  /// Where the value of this member of an object stands; nil where the value is no object or has no such member. As in
  /// JavaScript, a text and a list have no member that anybody reads here.
  func member(_ name: String, _ text: Span<UInt8>) -> Int? {
    guard tape.nodes[0].kind == .object else { return nil }
    return MemberOrder(tape, 0, text).members.first { tape.isText($0.key, name, in: text) }?.value
  }

  /// Where a text stands without what JavaScript's `trim` takes from its ends; nil where nothing is left.
  func trimmed(in text: Span<UInt8>) -> Range<Int>? {
    var range: Range<Int>?
    tape.eachScalar(of: 0, in: text) { scalar, place in
      if !scalar.isJavaScriptSpace { range = (range?.lowerBound ?? place.lowerBound)..<place.upperBound }
      return true
    }
    return range
  }

  // MARK: JSON.stringify

  mutating func writeJSON(_ index: Int, _ text: Span<UInt8>, to sink: inout some ByteSink & ~Copyable) {
    guard !cut.isFull else { return }
    let node = tape.nodes[index]
    switch node.kind {
    case .null: cut.write("null", to: &sink)
    case .true: cut.write("true", to: &sink)
    case .false: cut.write("false", to: &sink)
    case .number:
      let number = NumberText(node, in: text)
      if number.isInfinite { cut.write("null", to: &sink) } else { number.write(text, to: &cut, &sink) }
    case .string: writeQuoted(index, text, to: &sink)
    case .array:
      cut.write("[", to: &sink)
      for (place, child) in tape.children(of: index).enumerated() {
        if place > 0 { cut.write(",", to: &sink) }
        writeJSON(child, text, to: &sink)
      }
      cut.write("]", to: &sink)
    case .object:
      cut.write("{", to: &sink)
      for (place, member) in MemberOrder(tape, index, text).members.enumerated() {
        if place > 0 { cut.write(",", to: &sink) }
        writeQuoted(member.key, text, to: &sink)
        cut.write(":", to: &sink)
        writeJSON(member.value, text, to: &sink)
      }
      cut.write("}", to: &sink)
    }
  }

  private mutating func writeQuoted(_ index: Int, _ text: Span<UInt8>, to sink: inout some ByteSink & ~Copyable) {
    cut.write("\"", to: &sink)
    tape.eachScalar(of: index, in: text) { scalar, _ in
      if scalar.value < 0x80 {
        JSONValue.escaped(UInt8(truncatingIfNeeded: scalar.value)) { cut.write(Unicode.Scalar($0), to: &sink) }
      } else {
        cut.write(scalar, to: &sink)
      }
      return !cut.isFull
    }
    cut.write("\"", to: &sink)
  }

  // MARK: String(value)

  mutating func writeText(_ index: Int, _ text: Span<UInt8>, to sink: inout some ByteSink & ~Copyable) {
    let node = tape.nodes[index]
    switch node.kind {
    case .null: cut.write("null", to: &sink)
    case .true: cut.write("true", to: &sink)
    case .false: cut.write("false", to: &sink)
    case .number: NumberText(node, in: text).write(text, to: &cut, &sink)
    case .string: writeString(index, text, to: &sink)
    case .object: cut.write("[object Object]", to: &sink)
    case .array:
      for (place, child) in tape.children(of: index).enumerated() {
        if place > 0 { cut.write(",", to: &sink) }
        if tape.nodes[child].kind != .null { writeText(child, text, to: &sink) }
      }
    }
  }

  /// The characters of a string; of those, the ones that stand within `range`.
  mutating func writeString(
    _ index: Int, _ text: Span<UInt8>, within range: Range<Int>? = nil,
    to sink: inout some ByteSink & ~Copyable
  ) {
    tape.eachScalar(of: index, in: text) { scalar, place in
      if let range {
        guard place.lowerBound >= range.lowerBound else { return true }
        guard place.upperBound <= range.upperBound else { return false }
      }
      cut.write(scalar, to: &sink)
      return !cut.isFull
    }
  }
}

extension Unicode.Scalar {
  /// ECMAScript's WhiteSpace and LineTerminator, the byte-order mark among them. U+180E, U+200B and U+0085 are none.
  var isJavaScriptSpace: Bool {
    switch value {
    case 0x09...0x0D, 0x20, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF: true
    default: false
    }
  }
}
