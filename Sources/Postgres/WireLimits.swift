// What may be sent at most, checked in Swift before C sees it.

package enum WireLimits {
  /// PostgreSQL 15, in libpq's way of writing it: older ones lack rules that our roles and policies rest on.
  static let oldestServer: Int32 = 150_000
  /// PostgreSQL's Bind message counts parameters in 16 bits.
  package static let parameters = 65_535
  /// One statement's parameters. The server's own bound is 1 GiB for a whole message; our largest row is far below a
  /// quarter of that, and a call that passes it is a mistake.
  package static let statementBytes = 256 << 20
  /// SQL text of one statement or script; our migrations are the longest.
  package static let sqlBytes = 1 << 20
  /// Names of roles, databases and other objects: NAMEDATALEN - 1. The server cuts longer ones without an error,
  /// which would make one name out of two.
  package static let identifierBytes = 63
  /// Statements that this process prepares by name. Above it statements still run, unprepared.
  package static let namedStatements = 1_024
}
