// Reading PostgreSQL's binary format. Each Swift type names the column types it is read from; every other type is an
// error, never a conversion.

/// A Swift value that a column can be read as.
package protocol PostgresDecodable {
  /// Nil when the bytes are not a value of that type.
  static func decode(_ bytes: Span<UInt8>, type: UInt32) -> Self?
  static func reads(type: UInt32) -> Bool
  /// What SQL's null becomes; nil where null is an error.
  static var null: Self? { get }
}

extension PostgresDecodable {
  package static var null: Self? { nil }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
  package static func reads(type: UInt32) -> Bool { Wrapped.reads(type: type) }
  package static func decode(_ bytes: Span<UInt8>, type: UInt32) -> Self? {
    Wrapped.decode(bytes, type: type).map { .some($0) }
  }
  package static var null: Self? { .some(nil) }
}

extension Bool: PostgresDecodable {
  package static func reads(type: UInt32) -> Bool { type == PostgresType.bool.rawValue }
  package static func decode(_ bytes: Span<UInt8>, type: UInt32) -> Self? {
    guard bytes.count == 1 else { return nil }
    switch bytes[0] {
    case 0: return false
    case 1: return true
    default: return nil
    }
  }
}

extension Int32: PostgresDecodable {
  package static func reads(type: UInt32) -> Bool {
    type == PostgresType.int4.rawValue || type == ResultType.int2
  }
  package static func decode(_ bytes: Span<UInt8>, type: UInt32) -> Self? {
    BigEndian.signed(bytes, width: type == ResultType.int2 ? 2 : 4).map { Int32(truncatingIfNeeded: $0) }
  }
}

extension Int64: PostgresDecodable {
  package static func reads(type: UInt32) -> Bool {
    type == PostgresType.int8.rawValue || type == PostgresType.int4.rawValue || type == ResultType.int2
  }
  package static func decode(_ bytes: Span<UInt8>, type: UInt32) -> Self? {
    switch type {
    case PostgresType.int8.rawValue: BigEndian.signed(bytes, width: 8)
    case PostgresType.int4.rawValue: BigEndian.signed(bytes, width: 4)
    default: BigEndian.signed(bytes, width: 2)
    }
  }
}

/// Transaction ids and object ids, which have no sign.
extension UInt64: PostgresDecodable {
  package static func reads(type: UInt32) -> Bool { type == ResultType.xid8 || type == ResultType.oid }
  package static func decode(_ bytes: Span<UInt8>, type: UInt32) -> Self? {
    BigEndian.unsigned(bytes, width: type == ResultType.oid ? 4 : 8)
  }
}

extension Double: PostgresDecodable {
  package static func reads(type: UInt32) -> Bool { type == PostgresType.float8.rawValue }
  package static func decode(_ bytes: Span<UInt8>, type: UInt32) -> Self? {
    BigEndian.unsigned(bytes, width: 8).map { Double(bitPattern: $0) }
  }
}

extension PostgresTimestamp: PostgresDecodable {
  package static func reads(type: UInt32) -> Bool { type == PostgresType.timestamptz.rawValue }
  package static func decode(_ bytes: Span<UInt8>, type: UInt32) -> Self? {
    BigEndian.signed(bytes, width: 8).map { PostgresTimestamp(microsecondsSince2000: $0) }
  }
}

/// Text of every kind, JSON as it is stored, and UUIDs as they are written.
extension String: PostgresDecodable {
  package static func reads(type: UInt32) -> Bool {
    UTF8Text.reads(type: type) || type == PostgresType.uuid.rawValue
  }
  package static func decode(_ bytes: Span<UInt8>, type: UInt32) -> Self? {
    if type == PostgresType.uuid.rawValue { return UUIDText.text(of: bytes) }
    guard let text = UTF8Text.decode(bytes, type: type) else { return nil }
    return String(validating: text.bytes, as: UTF8.self)
  }
}

/// Text as the bytes it is made of, for identifiers: they are compared as bytes, which `String` does not do.
package struct UTF8Text: PostgresDecodable, Sendable, Hashable {
  package let bytes: [UInt8]

  package static func reads(type: UInt32) -> Bool {
    switch type {
    case PostgresType.text.rawValue, ResultType.varchar, ResultType.name, ResultType.bpchar, ResultType.char,
      ResultType.json, PostgresType.jsonb.rawValue:
      true
    default: false
    }
  }

  package static func decode(_ bytes: Span<UInt8>, type: UInt32) -> Self? {
    guard type == PostgresType.jsonb.rawValue else { return Self(bytes: Array(copying: bytes)) }
    guard bytes.count >= 1, bytes[0] == 1 else { return nil }
    return Self(bytes: Array(copying: bytes.extracting(droppingFirst: 1)))
  }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
  package static func reads(type: UInt32) -> Bool { Element.readsArray(type: type) }
  package static func decode(_ bytes: Span<UInt8>, type: UInt32) -> Self? { Element.decodeArray(bytes, type: type) }
}

extension Array where Element == UInt8 {
  init(copying span: Span<UInt8>) {
    self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
  }
}

enum BigEndian {
  static func unsigned(_ bytes: Span<UInt8>, width: Int) -> UInt64? {
    guard bytes.count == width else { return nil }
    var number: UInt64 = 0
    for index in bytes.indices { number = number << 8 | UInt64(bytes[index]) }
    return number
  }

  static func signed(_ bytes: Span<UInt8>, width: Int) -> Int64? {
    guard let number = unsigned(bytes, width: width) else { return nil }
    let unused = 64 - 8 * width
    return Int64(bitPattern: number << unused) >> unused
  }
}
