// User, mission, grant and record ids: opaque UTF-8 byte strings. They are compared, hashed and sorted by their
// bytes, because Swift's String treats "é" and "e" + U+0301 as equal, which would widen a scope.

package struct Identifier: Hashable, Comparable, Sendable {
  package let utf8: [UInt8]

  /// Any text, as the seeds' system allows it in v1. Nothing is checked.
  package init(_ text: String) { utf8 = Array(text.utf8) }

  /// The bytes of a stored row, as they are.
  package init(utf8: [UInt8]) { self.utf8 = utf8 }

  /// The rule of v2: 1 to 256 bytes without control characters (PostgreSQL takes no NUL, and a log line no escape).
  package init(checking text: String) throws(IdentifierProblem) {
    self.init(text)
    guard !utf8.isEmpty else { throw .empty }
    guard utf8.count <= Self.maximumBytes else { throw .tooLong(bytes: utf8.count) }
    guard !text.unicodeScalars.contains(where: { $0.isControl }) else { throw .controlCharacter }
  }

  package static let maximumBytes = 256

  package var text: String { String(decoding: utf8, as: UTF8.self) }

  package static func < (left: Identifier, right: Identifier) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }
}

package enum IdentifierProblem: Error, Equatable {
  case empty
  case tooLong(bytes: Int)
  case controlCharacter
  /// A table name that is not `[A-Za-z][A-Za-z0-9_]{0,62}`.
  case notATableName
}

extension Unicode.Scalar {
  /// General category Cc: C0, DEL and C1.
  var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}

/// A table name of v2: `[A-Za-z][A-Za-z0-9_]{0,62}`, so it never contains the `:` that ends it in a record id.
package struct TableName: Hashable, Comparable, Sendable {
  package let utf8: [UInt8]

  package init(_ text: String) throws(IdentifierProblem) {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, Self.isLetter(first), bytes.count <= 63,
      bytes.allSatisfy({ Self.isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x5F })
    else { throw .notATableName }
    utf8 = bytes
  }

  package var text: String { String(decoding: utf8, as: UTF8.self) }

  package static func < (left: TableName, right: TableName) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }
}

/// The order JavaScript's `sort()` and `<` give: by UTF-16 code units. The v1 canonical string is sorted by it, and the
/// stamps of fields are compared by it. It is the order of the bytes except that a character of four bytes, which is
/// two surrogates in UTF-16, stands before U+E000 to U+FFFF.
package func precedesInUTF16(_ left: String, _ right: String) -> Bool {
  let (one, other) = (left.utf8.span, right.utf8.span)
  let common = min(one.count, other.count)
  var index = 0
  while index < common, one[index] == other[index] { index &+= 1 }
  guard index < common else { return one.count < other.count }
  let (byte, rival) = (one[index], other[index])
  let isAstral = byte >= 0xF0
  guard isAstral != (rival >= 0xF0) else { return byte < rival }
  return (isAstral ? rival : byte) >= 0xEE ? isAstral : byte < rival
}
