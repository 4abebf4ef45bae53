// Header fields in their order, repeated ones included; names compare without case.

package struct HTTPHeaders: Sendable, Equatable {
  package struct Field: Sendable, Equatable {
    package let name: String
    package let value: String
  }

  package private(set) var fields: [Field] = []

  package init() {}

  /// The only value of that name. Nil when there is none, and when there are several: which of two a reader would take
  /// is what smuggling lives on.
  package subscript(_ name: String) -> String? {
    var found: String?
    for field in fields where Self.same(field.name, name) {
      guard found == nil else { return nil }
      found = field.value
    }
    return found
  }

  package func all(_ name: String) -> [String] { fields.filter { Self.same($0.name, name) }.map(\.value) }

  package func contains(_ name: String) -> Bool { fields.contains { Self.same($0.name, name) } }

  package mutating func add(_ name: String, _ value: String) { fields.append(Field(name: name, value: value)) }

  package mutating func set(_ name: String, _ value: String) {
    fields.removeAll { Self.same($0.name, name) }
    add(name, value)
  }

  /// Whether every field could be written without becoming another one: no field may end a line.
  var areWritable: Bool {
    fields.allSatisfy { field in
      !field.name.isEmpty && field.name.utf8.allSatisfy(RequestBytes.isToken)
        && field.value.utf8.allSatisfy(RequestBytes.isValue)
    }
  }

  private static func same(_ left: String, _ right: String) -> Bool {
    left.utf8.count == right.utf8.count
      && left.utf8.elementsEqual(right.utf8) { RequestBytes.lowered($0) == RequestBytes.lowered($1) }
  }
}
