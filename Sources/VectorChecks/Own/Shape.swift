// What may stand in a file of ours. One description serves twice: the reader refuses by it, and the JSON Schema that
// others read is written from it, so the two cannot come apart.

import Contracts

indirect enum Shape: Sendable {
  case text
  /// Lower-case hex of that many bytes, or of any number.
  case hex(bytes: Int?)
  /// `YYYY-MM-DDTHH:mm:ss.sssZ`.
  case instant
  case number
  case positiveInteger
  case truth
  case constant(String)
  /// One of these words.
  case word([String])
  case list(Shape, atLeast: Int)
  case orNull(Shape)
  /// Exactly these members, all of them.
  case object([Member])
  /// The member of that name, a constant in every variant, says which one it is.
  case variants(by: String, [[Member]])

  struct Member: Sendable {
    let name: String
    let shape: Shape

    init(_ name: String, _ shape: Shape) {
      self.name = name
      self.shape = shape
    }
  }
}

extension Shape {
  static let hex = Shape.hex(bytes: nil)
  static func list(_ element: Shape) -> Shape { .list(element, atLeast: 0) }

  /// Refuses what is missing, unknown or of another form, and says where.
  func check(_ value: JSONValue, at path: String) throws(UnreadableVectors) {
    switch (self, value) {
    case (.text, .string), (.number, .number), (.truth, .bool), (.orNull, .null): return
    case (.hex(let bytes), .string(let digits)):
      let count = digits.text.utf8.count
      guard count.isMultiple(of: 2), bytes == nil || bytes == count / 2, Hex.isLowercase(digits.text, count: count)
      else { throw UnreadableVectors(why: "\(path) is not \(bytes.map { "\($0) bytes of " } ?? "")lower-case hex") }
    case (.instant, .string(let text)):
      guard let instant = Instant(iso: text.text), instant.iso.utf8.elementsEqual(text.text.utf8) else {
        throw UnreadableVectors(why: "\(path) is not an instant with milliseconds and Z")
      }
    case (.positiveInteger, .number(let number)):
      guard let integer = number.integer, integer > 0 else { throw UnreadableVectors(why: "\(path) is not above 0") }
    case (.constant(let wanted), .string(let found)):
      guard found == JSONString(wanted) else { throw UnreadableVectors(why: "\(path) is not \(wanted)") }
    case (.word(let words), .string(let found)):
      guard words.contains(where: { JSONString($0) == found }) else {
        throw UnreadableVectors(why: "\(path) is none of \(words.joined(separator: ", "))")
      }
    case (.list(let element, let least), .array(let elements)):
      guard elements.count >= least else { throw UnreadableVectors(why: "\(path) has too few elements") }
      for (index, found) in elements.enumerated() { try element.check(found, at: "\(path)[\(index)]") }
    case (.orNull(let shape), _): try shape.check(value, at: path)
    case (.object(let members), .object(let object)): try Self.check(object, members, at: path)
    case (.variants(let name, let variants), .object(let object)):
      let chosen = variants.first { Self.isChosen($0, by: name, in: object) }
      guard let chosen else { throw UnreadableVectors(why: "\(path).\(name) is missing or unknown") }
      try Self.check(object, chosen, at: path)
    default: throw UnreadableVectors(why: "\(path) is of another type")
    }
  }

  private static func check(_ object: JSONObject, _ members: [Member], at path: String) throws(UnreadableVectors) {
    for found in object.members where !members.contains(where: { JSONString($0.name) == found.key }) {
      throw UnreadableVectors(why: "\(path) has an unknown member \(found.key.text)")
    }
    for member in members {
      guard let found = object[member.name] else { throw UnreadableVectors(why: "\(path) lacks \(member.name)") }
      try member.shape.check(found, at: "\(path).\(member.name)")
    }
  }

  private static func isChosen(_ members: [Member], by name: String, in object: JSONObject) -> Bool {
    members.contains { member in
      guard member.name == name, case .constant(let wanted) = member.shape else { return false }
      return object[name] == .string(wanted)
    }
  }
}

// MARK: The same as JSON Schema, draft 2020-12

extension Shape {
  var schema: JSONValue {
    switch self {
    case .text: Self.typed("string")
    case .hex(let bytes):
      Self.typed("string", [("pattern", .string(bytes.map { "^[0-9a-f]{\($0 * 2)}$" } ?? "^([0-9a-f]{2})*$"))])
    case .instant:
      Self.typed(
        "string", [("pattern", .string("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$"))])
    case .number: Self.typed("number")
    case .positiveInteger: Self.typed("integer", [("minimum", .number(JSONNumber(1)))])
    case .truth: Self.typed("boolean")
    case .constant(let text): .object(JSONObject(members: [("const", .string(text))]))
    case .word(let words): .object(JSONObject(members: [("enum", .array(words.map(JSONValue.string)))]))
    case .list(let element, let least):
      Self.typed(
        "array", [("items", element.schema)] + (least > 0 ? [("minItems", .number(JSONNumber(least)))] : []))
    case .orNull(let shape): .object(JSONObject(members: [("anyOf", .array([Self.typed("null"), shape.schema]))]))
    case .object(let members): Self.schema(of: members)
    case .variants(_, let variants):
      .object(JSONObject(members: [("oneOf", .array(variants.map { Self.schema(of: $0) }))]))
    }
  }

  private static func schema(of members: [Member]) -> JSONValue {
    typed(
      "object",
      [
        ("properties", .object(JSONObject(members: members.map { ($0.name, $0.shape.schema) }))),
        ("required", .array(members.map { .string($0.name) })),
        ("additionalProperties", .bool(false)),
      ])
  }

  private static func typed(_ type: String, _ more: [(String, JSONValue)] = []) -> JSONValue {
    .object(JSONObject(members: [("type", .string(type))] + more))
  }
}
