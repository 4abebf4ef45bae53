// The types this door speaks. The numbers are fixed in PostgreSQL's catalog (pg_type.dat) for all versions.

/// The type of a parameter. Results may have more types (see the conformances to `PostgresDecodable`).
package enum PostgresType: UInt32, Sendable, Hashable {
  case bool = 16
  case bytea = 17
  case int8 = 20
  case int4 = 23
  case text = 25
  case float8 = 701
  case timestamptz = 1184
  case uuid = 2950
  case jsonb = 3802
  case byteaArray = 1001
  case textArray = 1009
  case int8Array = 1016
}

/// Types that only come back, or that a value of ours is also read from.
enum ResultType {
  static let char: UInt32 = 18
  static let name: UInt32 = 19
  static let int2: UInt32 = 21
  static let oid: UInt32 = 26
  static let json: UInt32 = 114
  static let bpchar: UInt32 = 1042
  static let varchar: UInt32 = 1043
  static let xid8: UInt32 = 5069
  static let nameArray: UInt32 = 1003
  static let varcharArray: UInt32 = 1015
}
