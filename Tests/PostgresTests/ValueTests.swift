// Every type there and back, its extremes included, and every mismatch refused.

import Postgres
import PostgresSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct ValueTests {
  /// Sends each value as a parameter and reads it back as the result.
  private func echo<Value: PostgresDecodable & Equatable & Sendable>(
    _ route: Route, _ type: PostgresType, _ sql: String, _ pairs: [(PostgresValue, Value)]
  ) async throws {
    try await withPool(route, suite: "values") { pool in
      let statement = Statement("SELECT $1::\(sql)", type)
      for (sent, expected) in pairs {
        let received = try await pool.query(statement.bind(sent)).only().get(0, as: Value.self)
        #expect(received == expected)
      }
    }
  }

  @Test("Booleans come back as they went", arguments: Route.allCases)
  func booleans(route: Route) async throws {
    try await echo(
      route, .bool, "bool", [(.bool(true), true), (.bool(false), false), (.null, nil)] as [(PostgresValue, Bool?)])
  }

  @Test("Integers come back as they went, the smallest and the largest too", arguments: Route.allCases)
  func integers(route: Route) async throws {
    let small = [0, 1, -1, Int32.min, Int32.max].map { (PostgresValue.int4($0), Int32?.some($0)) }
    try await echo(route, .int4, "int4", small + [(.null, nil)])
    try await echo(route, .int4, "int4", [(.int4(.min), Int64(Int32.min)), (.int4(.max), Int64(Int32.max))])
    let large = [0, 1, -1, Int64.min, Int64.max].map { (PostgresValue.int8($0), Int64?.some($0)) }
    try await echo(route, .int8, "int8", large + [(.int8(nil), nil)])
    try await echo(route, .int4, "int2", [(.int4(-32_768), Int32(-32_768)), (.int4(32_767), 32_767)])
  }

  @Test("Floating point comes back bit by bit", arguments: Route.allCases)
  func doubles(route: Route) async throws {
    let numbers = [0, -0.0, 0.1, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .infinity, -.infinity]
    try await echo(route, .float8, "float8", numbers.map { (PostgresValue.float8($0), $0) })
    try await withPool(route, suite: "values") { pool in
      let statement = Statement("SELECT $1::float8", .float8)
      let nothing = try await pool.query(statement.bind(.float8(.nan))).only().get(0, as: Double.self)
      #expect(nothing.isNaN)
    }
  }

  @Test("Text comes back byte by byte, and is never brought into another normal form", arguments: Route.allCases)
  func text(route: Route) async throws {
    let words = [
      "", "plain", "é", "e\u{301}", "'; DROP TABLE x; --", "\\x41", "日本語 🧷", String(repeating: "x", count: 1 << 20),
    ]
    try await echo(route, .text, "text", words.map { (PostgresValue.text($0), $0) })
    try await withPool(route, suite: "values") { pool in
      let statement = Statement("SELECT $1::text", .text)
      for word in words {
        let bytes = Array(word.utf8)
        let received = try await pool.query(statement.bind(.utf8(bytes))).only().get(0, as: UTF8Text.self)
        #expect(received.bytes == bytes)
      }
      let null = try await pool.query(statement.bind(.text(String?.none))).only().get(0, as: String?.self)
      #expect(null == nil)
    }
  }

  @Test("Bytes come back as they went, all 256 of them, none of them, and many", arguments: Route.allCases)
  func bytes(route: Route) async throws {
    let blocks: [[UInt8]] = [[], [0], Array(0...255), [UInt8](repeating: 0xFF, count: 4 << 20)]
    try await echo(route, .bytea, "bytea", blocks.map { (PostgresValue.bytes($0), Optional($0)) } + [(.null, nil)])
  }

  @Test("Times come back to the microsecond, from the first to the last and the infinities", arguments: Route.allCases)
  func timestamps(route: Route) async throws {
    let times: [PostgresTimestamp] = [
      PostgresTimestamp(microsecondsSince2000: 0), .infinity, .negativeInfinity, .earliest, .latest,
      PostgresTimestamp(microsecondsSince2000: -1),
      try #require(PostgresTimestamp(unixMicroseconds: 1_764_000_000_123_456)),
    ]
    try await echo(
      route, .timestamptz, "timestamptz", times.map { (PostgresValue.timestamp($0), Optional($0)) } + [(.null, nil)])
    // The server agrees on what these numbers mean.
    try await withPool(route, suite: "values") { pool in
      let read = Statement(
        "SELECT '1970-01-01T00:00:00.000001Z'::timestamptz, '294276-12-31T23:59:59.999999Z'::timestamptz")
      let row = try await pool.query(read.bind()).only()
      #expect(try row.get(0, as: PostgresTimestamp.self).unixMicroseconds == 1)
      #expect(try row.get(1, as: PostgresTimestamp.self) == .latest)
    }
    #expect(PostgresTimestamp(unixMicroseconds: .min) == nil)
    #expect(PostgresTimestamp(unixMicroseconds: .max)?.unixMicroseconds == .max)
    #expect(PostgresTimestamp.infinity.unixMicroseconds == nil && PostgresTimestamp.latest.unixMicroseconds == nil)
  }

  @Test("UUIDs are text with one spelling", arguments: Route.allCases)
  func uuids(route: Route) async throws {
    let text = "0123abcd-4567-89ef-fedc-ba9876543210"
    try await echo(route, .uuid, "uuid", [(.uuid(text), text), (.uuid(text.uppercased()), text)])
    try await withPool(route, suite: "values") { pool in
      let statement = Statement("SELECT $1::uuid", .uuid)
      for bad in ["", "{\(text)}", text + "\0", text.replacing("-", with: ""), "g" + text.dropFirst(), text + " "] {
        let error = try await failure { () throws(PostgresError) in _ = try await pool.query(statement.bind(.uuid(bad)))
        }
        #expect(error == .parameter(.malformedUUID(parameter: 0)))
      }
    }
  }

  @Test("JSON goes and comes as text", arguments: Route.allCases)
  func json(route: Route) async throws {
    let pairs: [(PostgresValue, String)] = [
      (.json("{}"), "{}"), (.json(#"{"b":1,"a":[null,"é"]}"#), #"{"a": [null, "é"], "b": 1}"#), (.json("0"), "0"),
    ]
    try await echo(route, .jsonb, "jsonb", pairs)
    try await withPool(route, suite: "values") { pool in
      let row = try await pool.query(Statement(#"SELECT '{"b":1, "a":2}'::json"#).bind()).only()
      #expect(try row.get(0, as: String.self) == #"{"b":1, "a":2}"#)
    }
  }

  @Test("Arrays come back element by element, empty ones and those with nulls too", arguments: Route.allCases)
  func arrays(route: Route) async throws {
    try await echo(
      route, .textArray, "text[]",
      [
        (.textArray([]), []), (.textArray(["a", "", "b,c", "{\"}", "NULL"]), ["a", "", "b,c", "{\"}", "NULL"]),
        (.utf8Array([[0x61], [0xC3, 0xA9]]), ["a", "é"]),
      ] as [(PostgresValue, [String])])
    try await echo(
      route, .textArray, "text[]",
      [(.textArray([nil, "a", nil]), [nil, "a", nil]), (.null, nil)] as [(PostgresValue, [String?]?)])
    try await echo(
      route, .byteaArray, "bytea[]",
      [
        (.bytesArray([]), []), (.bytesArray([[], [0, 255], Array(0...255)]), [[], [0, 255], Array(0...255)]),
      ] as [(PostgresValue, [[UInt8]])])
    try await echo(
      route, .byteaArray, "bytea[]", [(.bytesArray([nil, [1]]), [nil, [1]])] as [(PostgresValue, [[UInt8]?])])
    try await echo(
      route, .int8Array, "int8[]",
      [
        (.int8Array([]), []), (.int8Array([.min, 0, .max]), [.min, 0, .max]),
      ] as [(PostgresValue, [Int64])])
    try await echo(route, .int8Array, "int8[]", [(.int8Array([nil, 7]), [nil, 7])] as [(PostgresValue, [Int64?])])
    // A lower bound other than 1 is still an array; two dimensions are not one of ours.
    try await withPool(route, suite: "values") { pool in
      let row = try await pool.query(Statement("SELECT '[5:6]={1,2}'::int8[], '{{1},{2}}'::int8[]").bind()).only()
      #expect(try row.get(0, as: [Int64].self) == [1, 2])
      let error = try await failure { () throws(PostgresError) in _ = try row.get(1, as: [Int64].self) }
      #expect(error == .decoding(DecodingProblem(column: 1, reason: .malformed)))
    }
  }

  @Test("Transaction ids and object ids are numbers without a sign", arguments: Route.allCases)
  func unsigned(route: Route) async throws {
    try await withPool(route, suite: "values") { pool in
      let row = try await pool.query(
        Statement("SELECT '18446744073709551615'::xid8, '4294967295'::oid, current_user, 'x'::\"char\"").bind()
      ).only()
      #expect(try row.get(0, as: UInt64.self) == .max)
      #expect(try row.get(1, as: UInt64.self) == 4_294_967_295)
      #expect(try row.get(2, as: String.self) == "postgres")
      #expect(try row.get(3, as: String.self) == "x")
    }
  }

  @Test("A column is read as its own type or not at all", arguments: Route.allCases)
  func mismatches(route: Route) async throws {
    try await withPool(route, suite: "values") { pool in
      let row = try await pool.query(
        Statement("SELECT 1::int8, 'a'::text, NULL::int8, '\\x00'::bytea, 1::numeric, ARRAY['a', NULL]").bind()
      ).only()
      func reason<Value: PostgresDecodable>(_ column: Int, _ type: Value.Type) async throws -> PostgresError {
        try await failure { () throws(PostgresError) in _ = try row.get(column, as: type) }
      }
      func problem(_ column: Int, _ reason: DecodingProblem.Reason) -> PostgresError {
        .decoding(DecodingProblem(column: column, reason: reason))
      }
      #expect(try await reason(0, Int32.self) == problem(0, .type(oid: 20)))
      #expect(try await reason(0, String.self) == problem(0, .type(oid: 20)))
      #expect(try await reason(0, Double.self) == problem(0, .type(oid: 20)))
      #expect(try await reason(1, Int64.self) == problem(1, .type(oid: 25)))
      #expect(try await reason(1, [UInt8].self) == problem(1, .type(oid: 25)))
      #expect(try await reason(2, Int64.self) == problem(2, .null))
      #expect(try await reason(3, String.self) == problem(3, .type(oid: 17)))
      #expect(try await reason(4, Double.self) == problem(4, .type(oid: 1700)))
      #expect(try await reason(5, [String].self) == problem(5, .malformed))
      #expect(try await reason(6, Int64.self) == problem(6, .noSuchColumn))
      #expect(try await reason(-1, Int64.self) == problem(-1, .noSuchColumn))
      #expect(try row.get(2, as: Int64?.self) == nil)
      #expect(row.isNull(2) && !row.isNull(1))
      let missing = try await failure { () throws(PostgresError) in _ = try row.withBytes(1) { $0.count } }
      #expect(missing == problem(1, .type(oid: 25)))
    }
  }

  @Test("Rows know how many they are, and what the statement touched", arguments: Route.allCases)
  func rows(route: Route) async throws {
    try await withPool(route, suite: "values") { pool in
      let some = try await pool.query(Statement("SELECT n AS number FROM generate_series(1, 3) AS n").bind())
      #expect(try some.map { try $0.get(0, as: Int32.self) } == [1, 2, 3])
      #expect(some.columnNames == ["number"] && some.columns == 1)
      #expect(
        try await failure { () throws(PostgresError) in _ = try some.only() }
          == .decoding(DecodingProblem(column: 0, reason: .rows(3))))
      #expect(
        try await failure { () throws(PostgresError) in _ = try some.first() }
          == .decoding(DecodingProblem(column: 0, reason: .rows(3))))
      let none = try await pool.query(Statement("SELECT 1 WHERE false").bind())
      #expect(try none.first() == nil && none.isEmpty)
      let touched = try await pool.transact([
        Statement("CREATE TEMP TABLE touched (n int8) ON COMMIT DROP", reuse: .once).bind(),
        Statement("INSERT INTO touched SELECT generate_series(1, 5)", reuse: .once).bind(),
        Statement("UPDATE touched SET n = 0 WHERE n > 2", reuse: .once).bind(),
        Statement("DELETE FROM touched WHERE n = 9", reuse: .once).bind(),
      ])
      #expect(touched.map(\.affected) == [0, 5, 3, 0])
    }
  }

  @Test("Values of the wrong count or type, and SQL with a NUL, stop the program")
  func mistakes() async {
    await #expect(processExitsWith: .failure) { _ = Statement("SELECT $1", .int8).bind() }
    await #expect(processExitsWith: .failure) { _ = Statement("SELECT $1", .int8).bind(.text("1")) }
    await #expect(processExitsWith: .failure) { _ = Statement("SELECT 1\0") }
    await #expect(processExitsWith: .success) { _ = Statement("SELECT $1", .int8).bind(.null) }
  }
}
