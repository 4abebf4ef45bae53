// The characters of a string on a tape, one after the other and with their escapes resolved. What a caller keeps of
// them is its own business; nothing is copied here.

extension JSONTape {
  /// Tells each character and where in the text it stands, until `body` says false.
  package func eachScalar(
    of index: Int, in text: Span<UInt8>, _ body: (Unicode.Scalar, Range<Int>) -> Bool
  ) {
    let node = nodes[index]
    precondition(node.kind == .string, "only a string has characters")
    var offset = Int(node.start)
    while offset < Int(node.end) {
      let (scalar, length) = Self.scalar(text, at: offset)
      guard body(scalar, offset..<(offset + length)) else { return }
      offset += length
    }
  }

  /// True for a string or key that is this text once its escapes are read; nothing is copied for it.
  package func isText(_ index: Int, _ wanted: String, in text: Span<UInt8>) -> Bool {
    guard nodes[index].kind == .string else { return false }
    var rest = wanted.unicodeScalars.makeIterator()
    var isSame = true
    eachScalar(of: index, in: text) { scalar, _ in
      isSame = scalar == rest.next()
      return isSame
    }
    return isSame && rest.next() == nil
  }

  /// The character of a string that begins here, and how many bytes of the text it takes. The scanner has read these
  /// bytes before, so they are valid.
  package static func scalar(_ text: Span<UInt8>, at offset: Int) -> (scalar: Unicode.Scalar, length: Int) {
    let first = text[offset]
    if first == UInt8(ascii: "\\") {
      guard let escape = try? JSONEscape(text, at: offset) else {
        preconditionFailure("the scanner has read this escape before")
      }
      return (escape.scalar, escape.length)
    }
    guard first >= 0x80 else { return (Unicode.Scalar(first), 1) }
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    var value = UInt32(first) & (0x7F >> UInt32(length))
    for position in 1..<length { value = value << 6 | UInt32(text[offset + position] & 0x3F) }
    guard let scalar = Unicode.Scalar(value) else { preconditionFailure("the scanner has read this character before") }
    return (scalar, length)
  }
}
