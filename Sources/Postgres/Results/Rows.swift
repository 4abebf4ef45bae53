// What a statement brought back. The rows stay in libpq's memory until somebody reads a column; that memory is freed
// when the last row that points into it is gone.

import CPostgres

/// Sole owner of one PGresult. libpq never changes a finished result, so any thread may read it.
/// `@safe`: the pointer leaves only as spans that are read inside a closure.
@safe
final class ResultOwner: Sendable {
  nonisolated(unsafe) let pointer: OpaquePointer
  init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }
  deinit { unsafe PQclear(pointer) }
}

package struct Rows: Sendable {
  let result: ResultOwner
  package let count: Int
  package let columns: Int

  /// Takes the result over.
  init(_ result: ResultOwner) {
    self.result = result
    count = Int(unsafe PQntuples(result.pointer))
    columns = Int(unsafe PQnfields(result.pointer))
  }

  /// Rows that an INSERT, UPDATE or DELETE touched, or a SELECT returned; zero for other commands.
  package var affected: Int {
    guard let text = unsafe PQcmdTuples(result.pointer) else { return 0 }
    return unsafe Int(String(cString: text)) ?? 0
  }

  /// What the server says it did: `INSERT 0 1`, `COMMIT`, and `ROLLBACK` where a COMMIT found nothing to keep.
  var commandTag: String {
    guard let text = unsafe PQcmdStatus(result.pointer) else { return "" }
    return unsafe String(cString: text)
  }

  package var columnNames: [String] {
    (0..<columns).map { column in
      guard let name = unsafe PQfname(result.pointer, Int32(column)) else { return "" }
      return unsafe String(cString: name)
    }
  }

  /// The only row; an error when there is none or a second one.
  package func only() throws(PostgresError) -> Row {
    guard count == 1 else { throw .decoding(DecodingProblem(column: 0, reason: .rows(count))) }
    return self[0]
  }

  /// The row, where there may be one; an error when there is a second one.
  package func first() throws(PostgresError) -> Row? {
    guard count <= 1 else { throw .decoding(DecodingProblem(column: 0, reason: .rows(count))) }
    return isEmpty ? nil : self[0]
  }
}

extension Rows: RandomAccessCollection {
  package var startIndex: Int { 0 }
  package var endIndex: Int { count }
  package subscript(position: Int) -> Row {
    precondition(position >= 0 && position < count, "a row beyond the result")
    return Row(result: result, index: Int32(position), columns: columns)
  }
}

package struct Row: Sendable {
  let result: ResultOwner
  let index: Int32
  package let columns: Int

  /// Reads one column as the type that the caller expects; an optional type where null may come.
  package func get<Value: PostgresDecodable>(
    _ column: Int, as type: Value.Type = Value.self
  ) throws(PostgresError) -> Value {
    let oid = try self.type(of: column)
    guard Value.reads(type: oid) else { throw Self.problem(column, .type(oid: oid)) }
    if isNull(column) {
      guard let null = Value.null else { throw Self.problem(column, .null) }
      return null
    }
    guard let value = withSpan(column, { Value.decode($0, type: oid) }) else { throw Self.problem(column, .malformed) }
    return value
  }

  /// Reads a `bytea` column where it lies, without a copy.
  package func withBytes<Value: ~Copyable>(
    _ column: Int, _ body: (Span<UInt8>) -> Value
  ) throws(PostgresError) -> Value {
    let oid = try type(of: column)
    guard oid == PostgresType.bytea.rawValue else { throw Self.problem(column, .type(oid: oid)) }
    guard !isNull(column) else { throw Self.problem(column, .null) }
    return withSpan(column, body)
  }

  package func isNull(_ column: Int) -> Bool { unsafe PQgetisnull(result.pointer, index, Int32(column)) != 0 }

  private func type(of column: Int) throws(PostgresError) -> UInt32 {
    guard column >= 0, column < columns else { throw Self.problem(column, .noSuchColumn) }
    return unsafe PQftype(result.pointer, Int32(column))
  }

  private func withSpan<Value: ~Copyable>(_ column: Int, _ body: (Span<UInt8>) -> Value) -> Value {
    let length = Int(unsafe PQgetlength(result.pointer, index, Int32(column)))
    let start = unsafe UnsafeRawPointer(PQgetvalue(result.pointer, index, Int32(column)))
    return unsafe body(Span(_unsafeBytes: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : length)))
  }

  private static func problem(_ column: Int, _ reason: DecodingProblem.Reason) -> PostgresError {
    .decoding(DecodingProblem(column: column, reason: reason))
  }
}
