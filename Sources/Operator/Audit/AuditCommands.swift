// The commands that deal with the audit, and what they share: how chains are walked, and what is said on the way.

import Contracts
import Postgres
import ServiceRuntime
import Store

enum AuditCommands {
  static let group = CommandGroup(name: "audit", summary: "Show, verify, export and prune the log of releases.")
  static let all = [AuditShow.command, AuditVerify.command, AuditExport.command, AuditPrune.command]

  /// A chain of millions of rows takes minutes; what takes longer than this does not move.
  private static let patience = Duration.seconds(6 * 3_600)

  static let user = Option(
    name: "user", placeholder: "ID", fallback: nil, reason: "One user's chain alone; without it, all of them."
  ) { $0.utf8.count <= Identifier.maximumBytes ? nil : "an id of at most \(Identifier.maximumBytes) bytes" }

  static func scope(_ invocation: Invocation) throws(CommandFailure) -> UserScope? {
    guard let text = invocation[user] else { return nil }
    do throws(EmptyUser) { return try UserScope(Identifier(text)) } catch {
      throw .wrongUsage("--user is empty.", help: nil)
    }
  }

  static func withReading<Value>(
    _ invocation: Invocation, _ body: (AuditReading) async throws(CommandFailure) -> Value
  ) async throws(CommandFailure) -> Value {
    let configuration = try DatabaseCommands.configuration(invocation, as: StoreRole.operator.rawValue)
    return try await DatabaseCommands.withPool(configuration) { pool throws(CommandFailure) in
      try await body(AuditReading(pool))
    }
  }

  /// What is done with each chain: its ends first, then its rows in pages, then its end.
  struct Walk {
    var begin: (ChainEnds) throws(CommandFailure) -> Void
    var rows: ([AuditRow]) throws(CommandFailure) -> Void
    var end: () throws(CommandFailure) -> Void
  }

  /// All chains by the bytes of their users, or one. Each page of chains is seen under one snapshot, so a chain that
  /// grows meanwhile is still whole; nothing is held back in the database for longer than a page takes.
  static func walk(
    _ reading: AuditReading, only scope: UserScope?, progress: String, _ walk: Walk
  ) async throws(CommandFailure) {
    let total = try await telling { () throws(PostgresError) in try await reading.count() }
    var seen: Int64 = 0
    var last: Identifier?
    while true {
      let after = last
      let page = try await snapshot(reading) { transaction throws(CommandFailure) -> [ChainEnds] in
        let page = try await telling { () throws(PostgresError) in
          guard let scope else { return try await AuditReading.chains(after: after, in: &transaction) }
          return [try await AuditReading.ends(of: scope, in: &transaction)]
        }
        for chain in page {
          try walk.begin(chain)
          // From the very first row: what is left of before a cut has no right to be there.
          var seq = Int64.min
          while true {
            let rows = try await telling { () throws(PostgresError) in
              try await AuditReading.rows(of: chain.user, after: seq, in: &transaction)
            }
            guard let next = rows.last?.entry.seq else { break }
            seen += Int64(rows.count)
            if seen / 50_000 > (seen - Int64(rows.count)) / 50_000 {
              Progress.note("\(progress) \(seen) of about \(total.rows) rows")
            }
            try walk.rows(rows)
            seq = next
          }
          try walk.end()
        }
        return page
      }
      guard scope == nil, let user = page.last?.user else { return }
      last = user
    }
  }

  /// The ends alone.
  static func chains(
    _ reading: AuditReading, only scope: UserScope?, _ body: ([ChainEnds]) throws(CommandFailure) -> Void
  ) async throws(CommandFailure) {
    var last: Identifier?
    while true {
      let after = last
      let page = try await snapshot(reading) { transaction throws(CommandFailure) -> [ChainEnds] in
        try await telling { () throws(PostgresError) in
          guard let scope else { return try await AuditReading.chains(after: after, in: &transaction) }
          return [try await AuditReading.ends(of: scope, in: &transaction)]
        }
      }
      try body(page)
      guard scope == nil, let user = page.last?.user else { return }
      last = user
    }
  }

  static func snapshot<Value>(
    _ reading: AuditReading, _ body: (inout PostgresTransaction) async throws(CommandFailure) -> Value
  ) async throws(CommandFailure) -> Value {
    do throws(TransactionError<CommandFailure>) {
      return try await reading.withSnapshot(deadline: .after(patience), body)
    } catch {
      switch error {
      case .body(let failure), .rollback(let failure, _): throw failure
      case .begin(let error), .commit(let error), .commitUnknown(let error):
        throw .refused("the audit cannot be read: \(error).")
      case .aborted: throw .refused("the audit cannot be read.")
      }
    }
  }

  static func telling<Value>(
    _ body: () async throws(PostgresError) -> Value
  ) async throws(CommandFailure) -> Value {
    do throws(PostgresError) { return try await body() } catch {
      throw .refused("the audit cannot be read: \(error).")
    }
  }
}
