// JSON as a value, for what may be copied: grants, requests, vectors, records that are still sealed. Opened
// plaintext is walked on its tape instead.

package enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case number(JSONNumber)
  case string(JSONString)
  case array([JSONValue])
  case object(JSONObject)

  package enum DuplicateKeys: Sendable {
    /// JavaScript's rule: the first position, the last value.
    case lastWins
    /// For what an attacker may have written to be read differently by two readers.
    case refused
  }

  package init(
    parsing text: Span<UInt8>, duplicateKeys: DuplicateKeys = .lastWins, inside levels: Int = 0
  ) throws(JSONProblem) {
    let tape = try JSONTape(scanning: text, inside: levels)
    self = try Self.build(0, tape, text, duplicateKeys)
  }

  /// Copies out of a tape; for what need not be wiped.
  package init(_ tape: JSONTape, in text: Span<UInt8>) {
    guard let value = try? Self.build(0, tape, text, .lastWins) else {
      preconditionFailure("only refused duplicates can fail here")
    }
    self = value
  }

  package init(parsing text: String, duplicateKeys: DuplicateKeys = .lastWins) throws(JSONProblem) {
    let bytes = Array(text.utf8)
    try self.init(parsing: bytes.span, duplicateKeys: duplicateKeys)
  }

  package static func string(_ text: String) -> JSONValue { .string(JSONString(text)) }

  /// The tape is hardly deeper than `JSONTape.maximumDepth`, so this recursion ends.
  private static func build(
    _ index: Int, _ tape: JSONTape, _ text: Span<UInt8>, _ duplicates: DuplicateKeys
  ) throws(JSONProblem) -> JSONValue {
    let node = tape.nodes[index]
    switch node.kind {
    case .null: return .null
    case .false: return .bool(false)
    case .true: return .bool(true)
    case .number:
      var characters: [UInt8] = []
      for offset in Int(node.start)..<Int(node.end) { characters.append(text[offset]) }
      return .number(JSONNumber(scanned: String(decoding: characters, as: UTF8.self)))
    case .string: return .string(JSONString(tape.string(index, in: text)))
    case .array:
      var elements: [JSONValue] = []
      for child in tape.children(of: index) { elements.append(try build(child, tape, text, duplicates)) }
      return .array(elements)
    case .object:
      var members: [(JSONString, JSONValue)] = []
      for key in tape.children(of: index) {
        members.append((JSONString(tape.string(key, in: text)), try build(key + 1, tape, text, duplicates)))
      }
      let object = JSONObject(members)
      guard duplicates == .lastWins || object.count == members.count else { throw .duplicateKey }
      return .object(object)
    }
  }
}

extension JSONValue {
  package var text: String? { if case .string(let value) = self { value.text } else { nil } }
  package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
  package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  package var number: JSONNumber? { if case .number(let value) = self { value } else { nil } }
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  package var isNull: Bool { self == .null }

  /// An array whose elements are all strings.
  package var texts: [String]? {
    guard let array else { return nil }
    let found = array.compactMap(\.text)
    return found.count == array.count ? found : nil
  }

  package subscript(key: String) -> JSONValue? { object?[key] }
}

/// A string that is equal to another only if its bytes are (Swift's String also calls canonical equivalents equal).
package struct JSONString: Hashable, Sendable {
  package let text: String

  package init(_ text: String) { self.text = text }

  package static func == (left: JSONString, right: JSONString) -> Bool {
    let (one, other) = (left.text.utf8.span, right.text.utf8.span)
    guard one.count == other.count else { return false }
    var index = 0
    while index < one.count, one[index] == other[index] { index &+= 1 }
    return index == one.count
  }

  /// Over the bytes too, eight at a time. String's own hash would be sound, but it is the same for all canonical
  /// equivalents, so keys that differ only in the order of their combining marks would all fall into one place of a
  /// table (half a megabyte of them took six seconds), and it normalises, which is quadratic in a run of such marks.
  package func hash(into hasher: inout Hasher) {
    var word: UInt64 = 0
    var count = 0
    for byte in text.utf8 {
      word = word << 8 | UInt64(byte)
      count &+= 1
      if count.isMultiple(of: 8) { hasher.combine(word) }
    }
    hasher.combine(word)
    hasher.combine(count)
  }
}
