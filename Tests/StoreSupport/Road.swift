// The two ways to the database. Every test of the store that asks the database anything goes both; a house rule holds
// the whole suite to that.

package enum Road: String, CaseIterable, Sendable, CustomStringConvertible {
  /// Straight to the server.
  case direct
  /// Through a real PgBouncer in transaction mode, every login of it: a service's, the migrator's, a superuser's.
  case pooler

  package var description: String { rawValue }
}
