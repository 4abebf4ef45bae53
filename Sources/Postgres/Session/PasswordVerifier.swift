// Setting a password without the server ever seeing it: the verifier is made here, by libpq, and only the verifier
// stands in the ALTER ROLE, which the server may log.

import CPostgres

extension PostgresSession {
  /// The SCRAM-SHA-256 verifier for `ALTER ROLE … PASSWORD`; quote it with `quoteLiteral`. It takes some milliseconds
  /// of computing (4,096 rounds), so it is not for a busy path.
  package func encryptPassword(_ password: DatabasePassword, role: String) throws(PostgresError) -> String {
    guard !role.utf8.contains(0) else { throw .parameter(.unquotable) }
    let verifier = unsafe password.withCString { secret in
      unsafe PQencryptPasswordConn(wire.connection, secret, role, "scram-sha-256")
    }
    guard let verifier = unsafe verifier else { throw .parameter(.password) }
    defer { unsafe PQfreemem(verifier) }
    return unsafe String(cString: verifier)
  }
}
