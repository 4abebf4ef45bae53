// Brings missions and agents up to date with the log, in one transaction: takes their notes, reads the rows behind the
// position that each was folded to, folds them on top, and writes. k changes cost k rows, whatever came before.
//
// What is stored is always the fold of all rows up to its position but those whose notes are still to come. So
//
//  · a note that stands behind the position is new, and nothing before it is missing;
//  · a note at or before it is of a change that committed late: the record is folded from its first row;
//  · nothing behind the last taken note is read, or that row's own note would look like a late one.
//
// A snapshot of a former system has no position and a note from before positions has none either: then too the record
// is folded from its first row.

package import Contracts
package import Postgres

enum ProjectionKind: Sendable {
  case mission, agent

  /// The tables that the queue's trigger notes for projections.
  init?(_ address: RecordAddress) {
    switch address.table.text {
    case "aiMissions": self = .mission
    case "agents": self = .agent
    default: return nil
    }
  }
}

package struct RefreshTally: Sendable, Equatable {
  /// Changes whose notes were taken; zero when there was nothing to do.
  package internal(set) var notes: Int64 = 0
  package internal(set) var users = 0
  package internal(set) var created = 0
  package internal(set) var updated = 0
  /// Rows of the log that were read.
  package internal(set) var rows = 0
  /// Records that were folded from their first row although they had been folded before.
  package internal(set) var refolded = 0
  /// Records that were parked because a change of theirs can't be read.
  package internal(set) var unreadable = 0

  package init() {}
}

package struct ProjectionRefresh<Fold: ProjectionFold>: Sendable {
  /// Rows that are read of each record of a batch in its first round: enough for what one tick brings, and 64,000 rows
  /// are what a whole batch can bring at once. What is longer is read record by record, in pages of its own.
  private let firstPage: Int32 = 64
  private let page: Int32

  private let queue: ChangeQueue

  package init(_ pool: PostgresPool, by fold: Fold.Type, page: Int32 = 1_000) {
    queue = ChangeQueue(pool)
    self.page = page
  }

  /// Takes up to `limit` notes. To be called again while it answers with notes.
  nonisolated(nonsending)
    package func run(
      limit: Int32 = ChangeQueue.mostRows, deadline: Deadline? = nil
    ) async throws(TransactionError<PostgresError>) -> RefreshTally
  {
    var tally = RefreshTally()
    tally.notes = try await queue.consume(.project, limit: limit, deadline: deadline) {
      (transaction: inout PostgresTransaction, records: [QueuedRecord]) async throws(PostgresError) in
      tally = try await refresh(records, in: &transaction)
    }
    return tally
  }

  nonisolated(nonsending)
    private func refresh(
      _ records: [QueuedRecord], in transaction: inout PostgresTransaction
    ) async throws(PostgresError) -> RefreshTally
  {
    let users = Self.byUser(records)
    var work = try await begin(users, in: &transaction)
    try await readTogether(&work, in: &transaction)
    for place in work.indices {
      while work[place].wantsMore {
        let record = work[place]
        let rows = try await transaction.pipeline([record.scope.statement, record.pages.next(page, in: record.scope)])
        try work[place].take(rows[1], limit: page)
      }
    }
    var writes: [BoundStatement] = []
    var scope: UserScope?
    for record in work {
      guard let write = record.write() else { continue }
      if scope != record.scope { writes.append(record.scope.statement) }
      scope = record.scope
      writes.append(write)
    }
    if !writes.isEmpty { _ = try await transaction.pipeline(writes) }
    return Self.tally(work, users: users.count)
  }

  /// What is stored of each record, and what is to be read on top of it.
  nonisolated(nonsending)
    private func begin(
      _ users: [[Queued]], in transaction: inout PostgresTransaction
    ) async throws(PostgresError) -> [RecordRefresh<Fold>]
  {
    var statements = [ChangePages.planning]
    for user in users {
      guard let scope = user.first?.record.scope else { continue }
      statements.append(scope.statement)
      for kind in [ProjectionKind.mission, .agent] {
        statements.append(
          Projections.stored(kind, user.filter { $0.kind == kind }.map(\.record.address.record), in: scope))
      }
    }
    let answers = try await transaction.pipeline(statements)
    var work: [RecordRefresh<Fold>] = []
    for (place, user) in users.enumerated() {
      let missions = try Projections.decodeStored(answers[place * 3 + 2])
      let agents = try Projections.decodeStored(answers[place * 3 + 3])
      for queued in user {
        let stored = (queued.kind == .mission ? missions : agents)[queued.record.address.record]
        work.append(RecordRefresh(queued.record, queued.kind, stored: stored))
      }
    }
    return work
  }

  /// The first page of every record, in one round trip.
  nonisolated(nonsending)
    private func readTogether(
      _ work: inout [RecordRefresh<Fold>], in transaction: inout PostgresTransaction
    ) async throws(PostgresError)
  {
    var statements: [BoundStatement] = []
    var answerOf: [Int] = []
    var scope: UserScope?
    for record in work {
      if scope != record.scope { statements.append(record.scope.statement) }
      scope = record.scope
      answerOf.append(statements.count)
      statements.append(record.pages.next(firstPage, in: record.scope))
    }
    let answers = try await transaction.pipeline(statements)
    for place in work.indices { try work[place].take(answers[answerOf[place]], limit: firstPage) }
  }

  private typealias Queued = (record: QueuedRecord, kind: ProjectionKind)

  /// The queue answers in the order of users, so each stands together.
  private static func byUser(_ records: [QueuedRecord]) -> [[Queued]] {
    var users: [[Queued]] = []
    for record in records {
      guard let kind = ProjectionKind(record.address) else { continue }
      if users.last?.last?.record.scope == record.scope {
        users[users.count - 1].append((record, kind))
      } else {
        users.append([(record, kind)])
      }
    }
    return users
  }

  private static func tally(_ work: [RecordRefresh<Fold>], users: Int) -> RefreshTally {
    var tally = RefreshTally()
    tally.users = users
    for record in work {
      tally.rows += record.rows
      tally.refolded += record.isRefolded ? 1 : 0
      tally.unreadable += record.isUnreadable ? 1 : 0
      if record.isWritten { if record.isNew { tally.created += 1 } else { tally.updated += 1 } }
    }
    return tally
  }
}
