// frame(p1, …, pn): for each part a 4-byte big-endian length, then the bytes. It is injective, so no two different
// inputs share an encoding; every derivation, label and hash of v2 is made over one.

package struct Frame: Sendable, Equatable {
  package private(set) var bytes: [UInt8] = []

  package init(reservingBytes capacity: Int = 128) { bytes.reserveCapacity(capacity) }

  package mutating func add(_ part: [UInt8]) {
    addLength(part.count)
    bytes.append(contentsOf: part)
  }

  package mutating func add(_ part: String) {
    addLength(part.utf8.count)
    bytes.append(contentsOf: part.utf8)
  }

  package mutating func add(_ part: Identifier) { add(part.utf8) }
  package mutating func add(_ part: TableName) { add(part.utf8) }

  /// Counts are decimal ASCII.
  package mutating func add(_ count: Int) { add(String(count)) }
  package mutating func add(_ count: Int64) { add(String(count)) }

  private mutating func addLength(_ count: Int) {
    guard let length = UInt32(exactly: count) else { preconditionFailure("a frame's part is under 4 GiB") }
    bytes.append(UInt8(truncatingIfNeeded: length >> 24))
    bytes.append(UInt8(truncatingIfNeeded: length >> 16))
    bytes.append(UInt8(truncatingIfNeeded: length >> 8))
    bytes.append(UInt8(truncatingIfNeeded: length))
  }
}

/// Takes a frame apart again. Nil at the end or where the bytes are no frame; both readers and writers agree on the
/// number of parts, so a reader also asks `isAtEnd`.
package struct FrameReader: Sendable {
  private let bytes: [UInt8]
  private var offset = 0

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package var isAtEnd: Bool { offset == bytes.count }

  package mutating func next() -> [UInt8]? {
    guard bytes.count - offset >= 4 else { return nil }
    let length = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    guard bytes.count - offset - 4 >= length else { return nil }
    defer { offset += 4 + length }
    return Array(bytes[offset + 4..<offset + 4 + length])
  }

  /// The next part as text, if it is valid UTF-8.
  package mutating func nextText() -> String? {
    guard let part = next(), UTF8Text.isValid(part.span) else { return nil }
    return String(decoding: part, as: UTF8.self)
  }
}
