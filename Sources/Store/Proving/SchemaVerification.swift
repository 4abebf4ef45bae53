// `mandate db verify`: everything of ours in a database, fact by fact, against what a freshly migrated one looks like.
// The expected facts are in Proof/expected_state.txt, which Tests/StoreSQL/state.py makes anew with every migration.

package import Postgres

package struct SchemaVerification: Sendable {
  package struct Finding: Sendable, Equatable {
    package enum Kind: String, Sendable {
      /// A fresh database has it and this one does not.
      case missing
      /// This one has it and a fresh database does not.
      case unexpected
    }
    package let kind: Kind
    /// One line that names its object: `policy mana_ai.grants grants_gate: …`.
    package let fact: String

    package init(kind: Kind, fact: String) { (self.kind, self.fact) = (kind, fact) }
  }

  package struct Result: Sendable {
    package let findings: [Finding]
    /// How many facts were looked at: a verification of nothing is none.
    package let facts: Int
  }

  private let pool: PostgresPool

  package init(_ pool: PostgresPool) { self.pool = pool }

  nonisolated(nonsending)
    package func run() async throws(PreparationError) -> Result
  {
    do throws(TransactionError<PostgresError>) {
      // One snapshot: a migration that runs meanwhile is seen whole or not at all.
      return try await pool.withTransaction(isolation: .repeatableRead, access: .readOnly) {
        transaction throws(PostgresError) in
        try await transaction.script(Self.preamble)
        var actual: [String] = []
        for row in try await transaction.query(Self.state.bind()) { actual.append(try row.get(0)) }
        let ledger = try await LedgerComparison.disagreement(with: Migration.all, &transaction)
        var findings = Self.compare(actual: actual, expected: Self.expected)
        if let ledger { findings.append(Finding(kind: .unexpected, fact: ledger.fact)) }
        return Result(findings: findings, facts: actual.count)
      }
    } catch {
      if case .server(let refusal) = error.cause, Self.absence.contains(refusal.state) { throw .notBootstrapped }
      if case .server(let refusal) = error.cause, refusal.state == .insufficientPrivilege {
        throw .refused("\(PreparationError.words(of: error.cause)): verify as mandate_owner, after mandate db migrate.")
      }
      throw .step("the verification", error.cause)
    }
  }

  /// A role, a schema or the ledger is not there.
  private static let absence: Set<SQLState> = [.undefinedTable, SQLState("42704"), SQLState("3F000")]

  // MARK: Comparing

  static func compare(actual: [String], expected: [String]) -> [Finding] {
    let isForeign = actual.contains(foreignUsers)
    let wanted = Set(expected.filter { !isForeign || !isAboutUsers($0) })
    let found = Set(actual.filter { $0 != foreignUsers })
    let missing = wanted.subtracting(found).map { Finding(kind: .missing, fact: $0) }
    let unexpected = found.subtracting(wanted).map { Finding(kind: .unexpected, fact: $0) }
    // By object, so that what is missing stands beside what is there instead.
    return (missing + unexpected).sorted { ($0.fact, $0.kind.rawValue) < ($1.fact, $1.kind.rawValue) }
  }

  /// Where others keep the table of users, it is not ours to judge.
  private static let foreignUsers = "foreign auth.users"

  private static func isAboutUsers(_ fact: String) -> Bool {
    guard let object = fact.split(separator: " ").dropFirst().first, object.hasPrefix("auth.users") else {
      return false
    }
    let next = object.dropFirst("auth.users".count).first
    return next == nil || next == ":" || next == "."
  }

  // MARK: The script

  static let expected = lines(SQLText.expectedState)

  /// Settings for the transaction, then one query; the door runs them in two ways.
  private static let parts: (settings: String, query: String) = {
    let all = SQLText.state.split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = all.firstIndex(where: { $0.hasPrefix("WITH ") }) else {
      preconditionFailure("state.sql has no query that begins with WITH")
    }
    return (all[..<start].joined(separator: "\n"), all[start...].joined(separator: "\n"))
  }()
  private static let preamble = parts.settings
  private static let state = Statement(parts.query, reuse: .once)

  private static func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }
}
