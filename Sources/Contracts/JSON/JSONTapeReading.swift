// Walking a tape over its text without copying the text.

extension JSONTape {
  /// The bytes of a string or key with its escapes resolved, one at a time.
  package func emitString(_ index: Int, in text: Span<UInt8>, _ emit: (UInt8) -> Void) {
    let node = nodes[index]
    precondition(node.kind == .string, "only a string has characters")
    var offset = Int(node.start)
    while offset < Int(node.end) {
      guard node.hasEscapes, text[offset] == UInt8(ascii: "\\") else {
        emit(text[offset])
        offset += 1
        continue
      }
      guard let escape = try? JSONEscape(text, at: offset) else {
        preconditionFailure("the scanner has read this escape before")
      }
      for byte in UTF8.encode(escape.scalar) ?? UTF8.encodedReplacementCharacter { emit(byte) }
      offset += escape.length
    }
  }

  package func string(_ index: Int, in text: Span<UInt8>) -> String {
    let node = nodes[index]
    if node.kind == .string, !node.hasEscapes,
      let characters = try? UTF8Span(validating: text.extracting(Int(node.start)..<Int(node.end)))
    {
      return String(copying: characters)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(node.end - node.start))
    emitString(index, in: text) { bytes.append($0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The indices of an array's elements, or of an object's keys (each value stands right behind its key), as they
  /// come in the text: JavaScript's order of keys, and that the last of two equal ones counts, are the caller's.
  package func children(of index: Int) -> [Int] {
    var found: [Int] = []
    var child = index + 1
    let end = Int(nodes[index].next)
    let isObject = nodes[index].kind == .object
    while child < end {
      found.append(child)
      child = isObject ? Int(nodes[child + 1].next) : Int(nodes[child].next)
    }
    return found
  }
}
