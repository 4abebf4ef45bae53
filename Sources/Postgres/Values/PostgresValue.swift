// A parameter of a statement. Everything travels in PostgreSQL's binary format; a parameter is never part of the SQL.

package enum PostgresValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case int4(Int32)
  case int8(Int64)
  case float8(Double)
  case text(String)
  /// Text that is already UTF-8, as our identifiers are; the server refuses what is not.
  case utf8([UInt8])
  case bytes([UInt8])
  case timestamp(PostgresTimestamp)
  /// A UUID as it is written, 36 characters; anything else is refused before it is sent.
  case uuid(String)
  /// JSON text for a `jsonb` parameter.
  case json(String)
  case textArray([String?])
  case utf8Array([[UInt8]?])
  case bytesArray([[UInt8]?])
  case int8Array([Int64?])

  /// Null where there is no value.
  package static func text(_ value: String?) -> PostgresValue { value.map { .text($0) } ?? .null }
  package static func bytes(_ value: [UInt8]?) -> PostgresValue { value.map { .bytes($0) } ?? .null }
  package static func int8(_ value: Int64?) -> PostgresValue { value.map { .int8($0) } ?? .null }
  package static func timestamp(_ value: PostgresTimestamp?) -> PostgresValue { value.map { .timestamp($0) } ?? .null }

  /// The type that a statement must have declared for it; null fits all.
  func fits(_ type: PostgresType) -> Bool {
    switch self {
    case .null: true
    case .bool: type == .bool
    case .int4: type == .int4
    case .int8: type == .int8
    case .float8: type == .float8
    case .text, .utf8: type == .text
    case .bytes: type == .bytea
    case .timestamp: type == .timestamptz
    case .uuid: type == .uuid
    case .json: type == .jsonb
    case .textArray, .utf8Array: type == .textArray
    case .bytesArray: type == .byteaArray
    case .int8Array: type == .int8Array
    }
  }
}
