// `mandate db import-vault`: copies the vault from the second database that a former system keeps it in. One
// transaction here, one snapshot there; a user whose vault is here already keeps it as it is, so that running it again
// changes nothing and a key that was rotated since is never put back.
//
// Rows travel as JSON, so that columns which an older source lacks are simply absent. What is copied is wrapped: no key
// in the clear is anywhere near.

package import Postgres

package struct VaultImport: Sendable {
  package struct Count: Sendable, Equatable {
    /// Rows in the source.
    package var found = 0
    /// Of these, the ones that were not here yet.
    package var added = 0

    package init(found: Int = 0, added: Int = 0) { (self.found, self.added) = (found, added) }
  }

  package struct Counts: Sendable, Equatable {
    package var users = Count()
    package var vaults = Count()
    package var log = Count()
    /// Records that the issuer was asked to seal.
    package var enqueued = 0
  }

  package enum Stage: String, Sendable {
    case users
    case vaults
    case log
  }

  private let source: PostgresPool
  private let target: PostgresPool

  /// Rows in one round trip; a vault's row is below a kilobyte.
  private static let batch = 1_000
  /// A million users take some minutes.
  private static let patience = Duration.seconds(4 * 3_600)

  /// `target` is logged in as mandate_owner.
  package init(from source: PostgresPool, to target: PostgresPool) { (self.source, self.target) = (source, target) }

  /// `progress` hears how many rows of a stage have been read.
  nonisolated(nonsending)
    package func run(progress: (Stage, Int) -> Void = { _, _ in }) async throws(PreparationError) -> Counts
  {
    let deadline = Deadline.after(Self.patience)
    do throws(TransactionError<PreparationError>) {
      return try await source.withTransaction(isolation: .repeatableRead, access: .readOnly, deadline: deadline) {
        from throws(PreparationError) in
        try await Self.checkSource(&from)
        return try await copy(&from, deadline, progress)
      }
    } catch { throw PreparationError("reading the source", error) }
  }

  nonisolated(nonsending)
    private func copy(
      _ from: inout PostgresTransaction, _ deadline: Deadline, _ progress: (Stage, Int) -> Void
    ) async throws(PreparationError) -> Counts
  {
    do throws(TransactionError<PreparationError>) {
      return try await target.withTransaction(deadline: deadline) { to throws(PreparationError) in
        let ownsUsers = try await Self.checkTarget(&to)
        do throws(PostgresError) {
          try await to.script(VaultTables.lift(users: ownsUsers))
          var counts = Counts()
          let before = try await Self.queued(&to)
          counts.users = try await Self.copy(VaultTables.users(here: ownsUsers), .users, &from, &to, progress)
          counts.vaults = try await Self.copy(VaultTables.vaults, .vaults, &from, &to, progress)
          counts.log = try await Self.copy(VaultTables.log, .log, &from, &to, progress)
          if counts.vaults.added > 0 {
            try await to.script(SQLText.sealBacklog)
            try await to.script(VaultTables.liftQueue)
            counts.enqueued = try await Self.queued(&to) - before
          }
          try await to.script(VaultTables.restore(users: ownsUsers))
          return counts
        } catch { throw .step("the import", error) }
      }
    } catch { throw PreparationError("the import", error) }
  }

  nonisolated(nonsending)
    private static func copy(
      _ table: VaultTables.Copy, _ stage: Stage, _ from: inout PostgresTransaction, _ to: inout PostgresTransaction,
      _ progress: (Stage, Int) -> Void
    ) async throws(PostgresError) -> Count
  {
    var count = Count()
    var last: String?
    while true {
      let rows = try await from.query(table.read.bind(.text(last), .int8(Int64(batch))))
      if rows.isEmpty { return count }
      var records: [String] = []
      for row in rows {
        last = try row.get(0, as: String.self)
        records.append(try row.get(1))
      }
      count.found += records.count
      count.added += try await to.query(table.write.bind(.textArray(records))).affected
      progress(stage, count.found)
    }
  }

  nonisolated(nonsending)
    private static func queued(_ to: inout PostgresTransaction) async throws(PostgresError) -> Int
  {
    Int(try await to.query(VaultTables.queued.bind()).only().get(0, as: Int64.self))
  }

  /// A source whose rows are hidden from this login would import nothing without a word, so it is asked to refuse.
  nonisolated(nonsending)
    private static func checkSource(_ from: inout PostgresTransaction) async throws(PreparationError)
  {
    do throws(PostgresError) {
      try await from.script("SET LOCAL row_security = off; SET LOCAL search_path = pg_catalog, pg_temp")
      let isThere: Bool = try await from.query(VaultTables.isThere.bind()).only().get(0)
      if isThere { return }
    } catch { throw .step("looking at the source", error) }
    throw .refused("the source has no table auth.encryption_vaults, so there is no vault to import.")
  }

  /// True where the table of users is ours to fill.
  nonisolated(nonsending)
    private static func checkTarget(_ to: inout PostgresTransaction) async throws(PreparationError) -> Bool
  {
    let (user, facts): (String, (isReady: Bool, ownsUsers: Bool)?)
    do throws(PostgresError) {
      // Another role may not even be allowed to look.
      user = try await to.query(VaultTables.user.bind()).only().get(0)
      let row = user == StoreRole.owner.rawValue ? try await to.query(VaultTables.target.bind()).only() : nil
      facts = try row.map { row throws(PostgresError) in (try row.get(0), try row.get(1)) }
    } catch { throw .step("looking at the database", error) }
    guard let facts else { throw .wrongRole(found: user, needed: StoreRole.owner.rawValue) }
    guard facts.isReady else { throw .refused("the database is not migrated yet; run first: mandate db migrate") }
    return facts.ownsUsers
  }
}
