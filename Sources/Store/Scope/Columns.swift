// Reading and binding what most tables of ours have: ids, as bytes, and lists that may be absent.

import Contracts
import Postgres

extension Row {
  func identifier(_ column: Int) throws(PostgresError) -> Identifier {
    Identifier(utf8: try get(column, as: Postgres.UTF8Text.self).bytes)
  }

  /// Whose row it is. The tables' checks and policies keep rows of nobody out.
  func scope(_ column: Int) throws(PostgresError) -> UserScope {
    let user = try identifier(column)
    do throws(EmptyUser) { return try UserScope(user) } catch {
      throw .decoding(DecodingProblem(column: column, reason: .malformed))
    }
  }

  func json(_ column: Int) throws(PostgresError) -> JSONValue {
    let text: Postgres.UTF8Text = try get(column)
    do throws(JSONProblem) { return try text.json() } catch {
      throw .decoding(DecodingProblem(column: column, reason: .malformed))
    }
  }
}

extension PostgresValue {
  static func utf8(_ value: [UInt8]?) -> PostgresValue { value.map { .utf8($0) } ?? .null }
  static func texts(_ values: [String]?) -> PostgresValue {
    guard let values else { return .null }
    return .textArray(values as [String?])
  }
  static func json(_ value: JSONValue) -> PostgresValue { .json(value.compactText()) }
}
