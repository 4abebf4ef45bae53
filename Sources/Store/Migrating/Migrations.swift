// The numbered steps from an empty database, or from one that a former system left, to what this binary needs.
// A step that any database has taken is never changed again: what it did wrong, the next one repairs.

package struct Migration: Sendable, Equatable {
  package let number: Int32
  /// As the ledger calls it: the file's name without its ending.
  package let name: String
  package let sql: String

  /// The number is what the name begins with: `m0001_bytes`.
  package init(_ name: String, _ sql: String) {
    guard name.hasPrefix("m"), let number = Int32(name.dropFirst().prefix { $0 != "_" }) else {
      preconditionFailure("\(name) is no name of a migration")
    }
    (self.number, self.name, self.sql) = (number, name, sql)
  }

  private init(_ name: String, _ bytes: [UInt8]) { self.init(name, SQLText.text(bytes)) }
}

extension Migration {
  package static let all = [
    Migration("m0001_bytes", PackageResources.m0001_bytes_sql),
    Migration("m0002_sync_changes", PackageResources.m0002_sync_changes_sql),
    Migration("m0003_vault", PackageResources.m0003_vault_sql),
    Migration("m0004_grants", PackageResources.m0004_grants_sql),
    Migration("m0005_audit", PackageResources.m0005_audit_sql),
    Migration("m0006_projections", PackageResources.m0006_projections_sql),
    Migration("m0007_queue", PackageResources.m0007_queue_sql),
    Migration("m0008_chain", PackageResources.m0008_chain_sql),
    Migration("m0009_receipts", PackageResources.m0009_receipts_sql),
    Migration("m0010_closing", PackageResources.m0010_closing_sql),
    Migration("m0011_issuing", PackageResources.m0011_issuing_sql),
    Migration("m0012_rewrap", PackageResources.m0012_rewrap_sql),
    Migration("m0013_running", PackageResources.m0013_running_sql),
    Migration("m0014_retention", PackageResources.m0014_retention_sql),
    Migration("m0015_readiness", PackageResources.m0015_readiness_sql),
    Migration("m0016_backlog", PackageResources.m0016_backlog_sql),
    Migration("m0017_positions", PackageResources.m0017_positions_sql),
    Migration("m0018_consent", PackageResources.m0018_consent_sql),
    Migration("m0019_purging", PackageResources.m0019_purging_sql),
    Migration("m0020_revoked_meanwhile", PackageResources.m0020_revoked_meanwhile_sql),
  ]

  /// What a service compares the database's highest number with before it starts.
  package static let latest: Int32 = all.map(\.number).max() ?? 0
}
