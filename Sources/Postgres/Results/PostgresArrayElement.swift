// Arrays in PostgreSQL's binary format, the reading half. `[UInt8]` is not one of them: it is `bytea`, so what an
// array of something is read from is a question to the element type.

package protocol PostgresArrayElement {
  static func readsArray(type: UInt32) -> Bool
  static func decodeArray(_ bytes: Span<UInt8>, type: UInt32) -> [Self]?
}

extension UInt8: PostgresArrayElement {
  package static func readsArray(type: UInt32) -> Bool { type == PostgresType.bytea.rawValue }
  package static func decodeArray(_ bytes: Span<UInt8>, type: UInt32) -> [UInt8]? { Array(copying: bytes) }
}

extension String: PostgresArrayElement {
  package static func readsArray(type: UInt32) -> Bool { PostgresArray.elementType(ofText: type) != nil }
  package static func decodeArray(_ bytes: Span<UInt8>, type: UInt32) -> [String]? {
    PostgresArray.elementType(ofText: type).flatMap { PostgresArray.decode(bytes, element: $0) }
  }
}

extension UTF8Text: PostgresArrayElement {
  package static func readsArray(type: UInt32) -> Bool { PostgresArray.elementType(ofText: type) != nil }
  package static func decodeArray(_ bytes: Span<UInt8>, type: UInt32) -> [UTF8Text]? {
    PostgresArray.elementType(ofText: type).flatMap { PostgresArray.decode(bytes, element: $0) }
  }
}

extension Int64: PostgresArrayElement {
  package static func readsArray(type: UInt32) -> Bool { type == PostgresType.int8Array.rawValue }
  package static func decodeArray(_ bytes: Span<UInt8>, type: UInt32) -> [Int64]? {
    PostgresArray.decode(bytes, element: PostgresType.int8.rawValue)
  }
}

extension Array: PostgresArrayElement where Element == UInt8 {
  package static func readsArray(type: UInt32) -> Bool { type == PostgresType.byteaArray.rawValue }
  package static func decodeArray(_ bytes: Span<UInt8>, type: UInt32) -> [[UInt8]]? {
    PostgresArray.decode(bytes, element: PostgresType.bytea.rawValue)
  }
}

/// Arrays whose elements may be null.
extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement & PostgresDecodable {
  package static func readsArray(type: UInt32) -> Bool { Wrapped.readsArray(type: type) }
  package static func decodeArray(_ bytes: Span<UInt8>, type: UInt32) -> [Wrapped?]? {
    switch type {
    case PostgresType.byteaArray.rawValue: PostgresArray.decode(bytes, element: PostgresType.bytea.rawValue)
    case PostgresType.int8Array.rawValue: PostgresArray.decode(bytes, element: PostgresType.int8.rawValue)
    default: PostgresArray.elementType(ofText: type).flatMap { PostgresArray.decode(bytes, element: $0) }
    }
  }
}

enum PostgresArray {
  static func elementType(ofText array: UInt32) -> UInt32? {
    switch array {
    case PostgresType.textArray.rawValue: PostgresType.text.rawValue
    case ResultType.varcharArray: ResultType.varchar
    case ResultType.nameArray: ResultType.name
    default: nil
    }
  }

  /// One dimension, whatever its lower bound. Every length is checked against what is left before it is used.
  static func decode<Element: PostgresDecodable>(_ bytes: Span<UInt8>, element type: UInt32) -> [Element]? {
    var position = 0
    func word() -> Int32? {
      guard bytes.count - position >= 4 else { return nil }
      defer { position += 4 }
      return BigEndian.signed(bytes.extracting(position..<position + 4), width: 4).map { Int32(truncatingIfNeeded: $0) }
    }
    guard let dimensions = word(), word() != nil, let elementType = word() else { return nil }
    guard UInt32(bitPattern: elementType) == type else { return nil }
    if dimensions == 0 { return position == bytes.count ? [] : nil }
    guard dimensions == 1, let count = word(), count >= 0, word() != nil else { return nil }
    var elements: [Element] = []
    // Each element has at least its length word, which bounds what a wrong count can make us reserve.
    guard Int(count) <= (bytes.count - position) / 4 else { return nil }
    elements.reserveCapacity(Int(count))
    for _ in 0..<count {
      guard let length = word() else { return nil }
      if length == -1 {
        guard let null = Element.null else { return nil }
        elements.append(null)
      } else {
        guard length >= 0, Int(length) <= bytes.count - position else { return nil }
        let end = position + Int(length)
        guard let value = Element.decode(bytes.extracting(position..<end), type: type) else { return nil }
        elements.append(value)
        position = end
      }
    }
    return position == bytes.count ? elements : nil
  }
}
