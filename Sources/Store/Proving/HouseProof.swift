// The proof that the database binds the service that asks, made at its start and each minute, as that service's own
// role and without a scope. What it asks lies in the binary and reads catalogs only; then the canary shows that the
// row security of a real table works in this very session.

package import Postgres

package struct HouseProof: Sendable {
  /// An object and what is wrong with it. Both are ours to show: names of roles, tables, functions and settings.
  package struct Problem: Sendable, Equatable, CustomStringConvertible {
    package let object: String
    package let problem: String
    package var description: String { "\(object) \(problem)" }

    package init(object: String, problem: String) { (self.object, self.problem) = (object, problem) }
  }

  private let pool: PostgresPool

  package init(_ pool: PostgresPool) { self.pool = pool }

  /// Empty when the database binds this role. An error proves nothing, so callers treat it as a failed proof too.
  nonisolated(nonsending)
    package func run() async throws(PostgresError) -> [Problem]
  {
    var problems: [Problem] = []
    for row in try await pool.query(Self.catalogs.bind()) {
      problems.append(Problem(object: try row.get(0), problem: try row.get(1)))
    }
    return try await problems + canary()
  }

  // MARK: The canary

  private static let catalogs = Statement(SQLText.houseProof, reuse: .once)
  private static let scope = Statement("SELECT pg_catalog.set_config('app.current_user_id', $1, true)", .text)
  private static let count = Statement("SELECT count(*) FROM mana_ai.rls_canary")

  private static let table = "mana_ai.rls_canary"
  /// Seen under its own scope, or the other two answers would mean nothing; and under no other.
  private static let expectations: [(scope: String, rows: Int64, problem: String)] = [
    ("mandate canary", 1, "does not show its row under its own scope"),
    ("mandate stranger", 0, "shows a row under another user's scope"),
    ("", 0, "shows a row without a scope"),
  ]

  nonisolated(nonsending)
    private func canary() async throws(PostgresError) -> [Problem]
  {
    let statements = Self.expectations.flatMap { [Self.scope.bind(.text($0.scope)), Self.count.bind()] }
    let results: [Rows]
    do throws(TransactionError<PostgresError>) {
      results = try await pool.transact(statements, access: .readOnly)
    } catch { throw error.cause }
    var problems: [Problem] = []
    for (index, expected) in Self.expectations.enumerated() {
      let seen: Int64 = try results[2 * index + 1].only().get(0)
      if seen != expected.rows { problems.append(Problem(object: Self.table, problem: expected.problem)) }
    }
    return problems
  }
}
