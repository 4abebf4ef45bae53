// Roles, passwords and ownership, once per server and database. The SQL may run again and checks what is there.
//
// A password is turned into its verifier here, so that neither the server nor its log ever holds it in the clear.

package import Postgres

/// A role that a process logs in as. mandate_gate is none of them.
package enum StoreRole: String, CaseIterable, Sendable {
  case owner = "mandate_owner"
  case issuer = "mandate_issuer"
  case resolver = "mandate_resolver"
  case runner = "mandate_runner"
  case `operator` = "mandate_operator"
  /// What a sync server needs, for demos and tests.
  case sync = "mandate_sync"
}

package struct Bootstrap: Sendable {
  private let pool: PostgresPool

  /// Ownership of large tables changes in an instant; what takes longer waits for somebody's lock.
  private static let patience = Duration.seconds(300)

  package init(_ pool: PostgresPool) { self.pool = pool }

  /// The roles that the server knows already, from this bootstrap or one of another database.
  nonisolated(nonsending)
    package func existingRoles() async throws(PreparationError) -> Set<StoreRole>
  {
    do throws(PostgresError) {
      let rows = try await pool.query(Self.roles.bind(.textArray(StoreRole.allCases.map(\.rawValue))))
      var found: Set<StoreRole> = []
      for row in rows { if let role = StoreRole(rawValue: try row.get(0)) { found.insert(role) } }
      return found
    } catch { throw .step("looking at the roles", error) }
  }

  /// All or nothing. Roles without a password here keep the one they have.
  nonisolated(nonsending)
    package func run(passwords: [StoreRole: DatabasePassword]) async throws(PreparationError)
  {
    for _ in 1..<Self.attempts {
      do throws(PreparationError) {
        return try await attempt(passwords)
      } catch {
        guard case .step(_, .server(let refusal)) = error, Self.collisions.contains(refusal.state) else { throw error }
      }
    }
    try await attempt(passwords)
  }

  /// Roles belong to the server, locks to one database: bootstraps of two databases at once can collide, and the one
  /// that lost finds at its next attempt what the other has made.
  private static let collisions: Set<SQLState> = [.uniqueViolation, .duplicateObject, SQLState("XX000")]
  private static let attempts = 8

  nonisolated(nonsending)
    private func attempt(_ passwords: [StoreRole: DatabasePassword]) async throws(PreparationError)
  {
    do throws(TransactionError<PreparationError>) {
      let deadline = Deadline.after(Self.patience)
      try await pool.withSession(deadline: deadline) { session throws(TransactionError<PreparationError>) in
        var scripts = SQLText.bootstrap
        do throws(PostgresError) {
          for role in StoreRole.allCases {
            guard let password = passwords[role] else { continue }
            scripts.append(try Self.setting(try session.encryptPassword(password, role: role.rawValue), of: role))
          }
        } catch { throw .begin(error) }
        try await session.withTransaction { transaction throws(PreparationError) in
          do throws(PostgresError) {
            for script in scripts { try await transaction.script(script) }
          } catch { throw .step("the bootstrap", error) }
        }
      }
    } catch { throw PreparationError("the bootstrap", error) }
  }

  private static let roles = Statement(
    "SELECT r.rolname::text FROM pg_catalog.pg_roles AS r WHERE r.rolname = ANY ($1)", .textArray)

  private static func setting(_ verifier: String, of role: StoreRole) throws(PostgresError) -> String {
    "ALTER ROLE \(try quoteIdentifier(role.rawValue)) PASSWORD \(try quoteLiteral(verifier))"
  }
}
