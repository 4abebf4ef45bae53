// SQL with the types of its parameters. Make each once, as a `static let`: a connection prepares it on first use and
// from then on sends only its name.

package final class Statement: Sendable {
  package enum Reuse: Sendable {
    /// Prepared once per connection, under a name, where no pooler stands between. That happens before the batch in
    /// which it is first used, so what it names must exist by then.
    case prepared
    /// Parsed anew each time, in its place: for SQL that is built at run time, for what runs once, and for what uses
    /// something that the same batch makes.
    case once
  }

  package let sql: String
  package let parameters: [PostgresType]
  /// The number under which connections remember that they have prepared it; nil where they never do.
  let number: Int?
  /// The text as C wants it.
  let cText: [CChar]
  let name: [CChar]
  let oids: [UInt32]

  /// SQL is our own text: one that is too long or holds a NUL is a mistake in this program, which stops.
  package init(_ sql: String, _ parameters: [PostgresType] = [], reuse: Reuse = .prepared) {
    precondition(!sql.utf8.contains(0) && sql.utf8.count <= WireLimits.sqlBytes, "SQL text with a NUL, or too long")
    precondition(parameters.count <= WireLimits.parameters, "more parameters than PostgreSQL can count")
    self.sql = sql
    self.parameters = parameters
    oids = parameters.map(\.rawValue)
    cText = sql.utf8.map { CChar(bitPattern: $0) } + [0]
    number = reuse == .prepared ? StatementRegistry.number(sql: Array(sql.utf8), types: oids) : nil
    name = number.map { "mandate_\($0)".utf8.map { CChar(bitPattern: $0) } + [0] } ?? [0]
  }

  package convenience init(_ sql: String, _ parameters: PostgresType..., reuse: Reuse = .prepared) {
    self.init(sql, parameters, reuse: reuse)
  }

  /// The statement with values for its parameters. Values of the wrong count or type are a mistake in this program.
  package func bind(_ values: [PostgresValue]) -> BoundStatement {
    precondition(
      values.count == parameters.count, "a statement with \(parameters.count) parameters got \(values.count)")
    for (value, type) in zip(values, parameters) {
      precondition(value.fits(type), "a parameter's value has another type than \(type)")
    }
    return BoundStatement(statement: self, values: values)
  }

  package func bind(_ values: PostgresValue...) -> BoundStatement { bind(values) }
}

/// A statement ready to be sent.
package struct BoundStatement: Sendable {
  package let statement: Statement
  package let values: [PostgresValue]
}

/// Numbers for the SQL texts of this process, so that the same text is prepared once per connection wherever it is
/// spelled. Texts are compared as bytes: for `String`, two different texts may be equal.
private enum StatementRegistry {
  private struct Key: Hashable {
    let sql: [UInt8]
    let types: [UInt32]
  }

  private static let numbers = Guarded<[Key: Int]>([:])

  /// Nil when so many texts are known already that more can only mean that someone builds them at run time.
  static func number(sql: [UInt8], types: [UInt32]) -> Int? {
    numbers.withLock { numbers in
      let key = Key(sql: sql, types: types)
      if let known = numbers[key] { return known }
      guard numbers.count < WireLimits.namedStatements else { return nil }
      numbers[key] = numbers.count
      return numbers.count - 1
    }
  }
}
