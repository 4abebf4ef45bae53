// One grammar for all JSON we read: RFC 8259 as JavaScript's parser takes it, strict, without recursion. The result
// is a tape of positions into the text. It holds none of the text, so the plaintext of a record can be walked
// where it lies and be wiped afterwards; `JSONValue` is built from the same tape where copying does no harm.

package enum JSONProblem: Error, Equatable {
  /// Not JSON: the offset of the byte that could not be read.
  case syntax(offset: Int)
  case invalidUTF8
  /// `\ud83d` without its other half. JavaScript would keep it; no UTF-8 can carry it (deviation 1).
  case loneSurrogate(offset: Int)
  case tooDeep
  case tooLong
  /// Only where the caller asked for `DuplicateKeys.refused`.
  case duplicateKey
}

package struct JSONTape: Sendable {
  package enum Kind: UInt8, Sendable { case null, `false`, `true`, number, string, array, object }

  /// A value, or a member's key. `start..<end` are its bytes: without the quotes for a string, with the brackets
  /// for a container. `next` is the index of the node behind this one and all that it contains.
  package struct Node: Sendable {
    package let kind: Kind
    package fileprivate(set) var hasEscapes = false
    package let start: Int32
    package fileprivate(set) var end: Int32
    package fileprivate(set) var next: Int32
  }

  package private(set) var nodes: [Node] = []

  /// Deeper than any document a browser writes, and shallow enough for the recursions that build, compare, write and
  /// free a tree: together they stay under 512 KiB of stack in a release build, and a thread has 8 MiB.
  package static let maximumDepth = 2048
  package static let maximumBytes = 1 << 30

  /// A reader of an envelope allows `levels` more, for what it wraps may be as deep as any document. `mostNodes` is for
  /// text of a known shape: a tape of nothing but commas is eight times as large as its text.
  package init(scanning text: Span<UInt8>, inside levels: Int = 0, mostNodes: Int = .max) throws(JSONProblem) {
    guard text.count <= Self.maximumBytes else { throw .tooLong }
    guard UTF8Text.isValid(text) else { throw .invalidUTF8 }
    var scanner = JSONScanner(deepest: Self.maximumDepth + levels, mostNodes: mostNodes)
    try scanner.scan(text, into: &self)
  }

  /// True for a JSON string of ASCII characters without escapes and nothing around it.
  package static func isPlainString(_ text: Span<UInt8>) -> Bool {
    let last = text.count - 1
    guard last >= 1, text[0] == UInt8(ascii: "\""), text[last] == UInt8(ascii: "\"") else { return false }
    return ByteRuns.plainASCII(text, from: 1) == last
  }

  /// The tape of such a string, whose text with its quotes has `count` bytes.
  package init(plainStringOf count: Int) { addScalar(.string, 1..<(count - 1)) }

  fileprivate mutating func open(_ kind: Kind, at offset: Int) -> Int {
    nodes.append(Node(kind: kind, start: Int32(offset), end: 0, next: 0))
    return nodes.count - 1
  }

  fileprivate mutating func close(_ index: Int, at offset: Int) {
    nodes[index].end = Int32(offset)
    nodes[index].next = Int32(nodes.count)
  }

  fileprivate mutating func addScalar(_ kind: Kind, _ range: Range<Int>, hasEscapes: Bool = false) {
    nodes.append(
      Node(
        kind: kind, hasEscapes: hasEscapes, start: Int32(range.lowerBound), end: Int32(range.upperBound),
        next: Int32(nodes.count + 1)))
  }
}

/// The states between tokens, with an explicit stack of the open containers.
private struct JSONScanner {
  private enum Expecting { case value, valueOrEnd, keyOrEnd, key, commaOrEnd, nothing }

  private let deepest: Int
  private let mostNodes: Int
  private var offset = 0
  private var containers: [Int] = []
  private var expecting = Expecting.value

  init(deepest: Int, mostNodes: Int) { (self.deepest, self.mostNodes) = (deepest, mostNodes) }

  mutating func scan(_ text: Span<UInt8>, into tape: inout JSONTape) throws(JSONProblem) {
    while true {
      skipWhiteSpace(text)
      guard offset < text.count else { break }
      guard tape.nodes.count <= mostNodes else { throw .tooLong }
      let byte = text[offset]
      switch expecting {
      case .value: try value(byte, text, &tape)
      case .valueOrEnd:
        if byte == UInt8(ascii: "]") { closeContainer(&tape) } else { try value(byte, text, &tape) }
      case .key, .keyOrEnd:
        if expecting == .keyOrEnd, byte == UInt8(ascii: "}") {
          closeContainer(&tape)
        } else {
          try key(byte, text, &tape)
        }
      case .commaOrEnd: try separator(byte, &tape)
      case .nothing: throw .syntax(offset: offset)
      }
    }
    guard expecting == .nothing else { throw .syntax(offset: offset) }
  }

  private mutating func value(_ byte: UInt8, _ text: Span<UInt8>, _ tape: inout JSONTape) throws(JSONProblem) {
    switch byte {
    case UInt8(ascii: "{"): try openContainer(.object, &tape)
    case UInt8(ascii: "["): try openContainer(.array, &tape)
    case UInt8(ascii: "\""):
      try string(text, &tape)
      afterValue()
    case UInt8(ascii: "t"): try literal("true", .true, text, &tape)
    case UInt8(ascii: "f"): try literal("false", .false, text, &tape)
    case UInt8(ascii: "n"): try literal("null", .null, text, &tape)
    default: try number(text, &tape)
    }
  }

  private mutating func key(_ byte: UInt8, _ text: Span<UInt8>, _ tape: inout JSONTape) throws(JSONProblem) {
    guard byte == UInt8(ascii: "\"") else { throw .syntax(offset: offset) }
    try string(text, &tape)
    skipWhiteSpace(text)
    guard offset < text.count, text[offset] == UInt8(ascii: ":") else { throw .syntax(offset: offset) }
    offset += 1
    expecting = .value
  }

  private mutating func separator(_ byte: UInt8, _ tape: inout JSONTape) throws(JSONProblem) {
    guard let container = containers.last else { throw .syntax(offset: offset) }
    let isObject = tape.nodes[container].kind == .object
    if byte == UInt8(ascii: ",") {
      offset += 1
      expecting = isObject ? .key : .value
    } else if byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
      closeContainer(&tape)
    } else {
      throw .syntax(offset: offset)
    }
  }

  private mutating func openContainer(_ kind: JSONTape.Kind, _ tape: inout JSONTape) throws(JSONProblem) {
    guard containers.count < deepest else { throw .tooDeep }
    containers.append(tape.open(kind, at: offset))
    offset += 1
    expecting = kind == .object ? .keyOrEnd : .valueOrEnd
  }

  private mutating func closeContainer(_ tape: inout JSONTape) {
    offset += 1
    tape.close(containers.removeLast(), at: offset)
    afterValue()
  }

  private mutating func afterValue() { expecting = containers.isEmpty ? .nothing : .commaOrEnd }

  private mutating func skipWhiteSpace(_ text: Span<UInt8>) {
    while offset < text.count {
      switch text[offset] {
      case 0x20, 0x09, 0x0A, 0x0D: offset += 1
      default: return
      }
    }
  }

  private mutating func literal(
    _ word: StaticString, _ kind: JSONTape.Kind, _ text: Span<UInt8>, _ tape: inout JSONTape
  ) throws(JSONProblem) {
    let start = offset
    for letter in word.description.utf8 {
      guard offset < text.count, text[offset] == letter else { throw .syntax(offset: offset) }
      offset += 1
    }
    tape.addScalar(kind, start..<offset)
    afterValue()
  }

  private mutating func number(_ text: Span<UInt8>, _ tape: inout JSONTape) throws(JSONProblem) {
    let start = offset
    if take(UInt8(ascii: "-"), text) {}
    if !take(UInt8(ascii: "0"), text) { try digits(text) }
    if take(UInt8(ascii: "."), text) { try digits(text) }
    if take(UInt8(ascii: "e"), text) || take(UInt8(ascii: "E"), text) {
      if !take(UInt8(ascii: "+"), text), take(UInt8(ascii: "-"), text) {}
      try digits(text)
    }
    tape.addScalar(.number, start..<offset)
    afterValue()
  }

  private mutating func take(_ byte: UInt8, _ text: Span<UInt8>) -> Bool {
    guard offset < text.count, text[offset] == byte else { return false }
    offset += 1
    return true
  }

  private mutating func digits(_ text: Span<UInt8>) throws(JSONProblem) {
    let start = offset
    while offset < text.count, (0x30...0x39).contains(text[offset]) { offset += 1 }
    guard offset > start else { throw .syntax(offset: offset) }
  }

  private mutating func string(_ text: Span<UInt8>, _ tape: inout JSONTape) throws(JSONProblem) {
    offset += 1
    let start = offset
    var hasEscapes = false
    while true {
      offset = ByteRuns.plainUTF8(text, from: offset)
      guard offset < text.count else { throw .syntax(offset: offset) }
      switch text[offset] {
      case UInt8(ascii: "\""):
        tape.addScalar(.string, start..<offset, hasEscapes: hasEscapes)
        offset += 1
        return
      case UInt8(ascii: "\\"):
        hasEscapes = true
        let escape = try JSONEscape(text, at: offset)
        offset += escape.length
      default: throw .syntax(offset: offset)  // A control character.
      }
    }
  }
}

/// One escape of a JSON string: the scalar it stands for, and how many bytes of the text it takes.
struct JSONEscape {
  let scalar: Unicode.Scalar
  let length: Int

  init(_ text: Span<UInt8>, at offset: Int) throws(JSONProblem) {
    guard offset + 1 < text.count else { throw .syntax(offset: offset) }
    switch text[offset + 1] {
    case UInt8(ascii: "\""): (scalar, length) = ("\"", 2)
    case UInt8(ascii: "\\"): (scalar, length) = ("\\", 2)
    case UInt8(ascii: "/"): (scalar, length) = ("/", 2)
    case UInt8(ascii: "b"): (scalar, length) = ("\u{8}", 2)
    case UInt8(ascii: "f"): (scalar, length) = ("\u{c}", 2)
    case UInt8(ascii: "n"): (scalar, length) = ("\n", 2)
    case UInt8(ascii: "r"): (scalar, length) = ("\r", 2)
    case UInt8(ascii: "t"): (scalar, length) = ("\t", 2)
    case UInt8(ascii: "u"):
      let first = try Self.unit(text, at: offset)
      if let single = Unicode.Scalar(first) {
        (scalar, length) = (single, 6)
      } else {
        guard first < 0xDC00, offset + 7 < text.count, text[offset + 6] == 0x5C, text[offset + 7] == 0x75 else {
          throw .loneSurrogate(offset: offset)
        }
        let second = try Self.unit(text, at: offset + 6)
        guard (0xDC00...0xDFFF).contains(second),
          let pair = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw .loneSurrogate(offset: offset) }
        (scalar, length) = (pair, 12)
      }
    default: throw .syntax(offset: offset)
    }
  }

  /// The four hex digits behind `\u`.
  private static func unit(_ text: Span<UInt8>, at offset: Int) throws(JSONProblem) -> UInt32 {
    guard offset + 5 < text.count else { throw .syntax(offset: offset) }
    var value: UInt32 = 0
    for index in (offset + 2)...(offset + 5) {
      guard let digit = Hex.value(text[index]) else { throw .syntax(offset: index) }
      value = value << 4 | UInt32(digit)
    }
    return value
  }
}
