// A new password for a role that is there. The server gets the verifier alone, as in the bootstrap.

package import Postgres

package struct PasswordRenewal: Sendable {
  private let pool: PostgresPool

  /// Logged in as somebody who may alter the role.
  package init(_ pool: PostgresPool) { self.pool = pool }

  /// Whoever is logged in stays so; whoever comes next needs this password. May be repeated.
  nonisolated(nonsending)
    package func set(_ password: DatabasePassword, of role: String) async throws(PreparationError)
  {
    do throws(PostgresError) {
      try await pool.withSession { session throws(PostgresError) in
        let verifier = try session.encryptPassword(password, role: role)
        try await session.script("ALTER ROLE \(try quoteIdentifier(role)) PASSWORD \(try quoteLiteral(verifier))")
      }
    } catch { throw .step("the new password of \(role)", error) }
  }
}
