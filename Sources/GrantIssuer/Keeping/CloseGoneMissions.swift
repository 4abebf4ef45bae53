// The issuer's end of the queue: a mission that loses its grant, is archived or is deleted has its grant closed here,
// usually within a second of the write.

import Contracts
import Missions
import Postgres
import ServiceRuntime
import Store

package struct QueueRound: Sendable, Equatable {
  /// Changes that were taken from the queue; zero where there was nothing to do.
  package var changes: Int64 = 0
  package var closed = 0
}

extension Issuer {
  /// Few, for each user whose grants are closed is locked until the whole round commits.
  private static let changesAtOnce: Int32 = 100

  /// Takes what waits and acts on it; to be called again while it answers that there were changes.
  package func closeGoneMissions() async -> Result<QueueRound, IssuerProblem> {
    var closed: [ClosedGrant] = []
    var round = QueueRound()
    do throws(TransactionError<PostgresError>) {
      round.changes = try await ChangeQueue(pool).consume(.seal, limit: Self.changesAtOnce) {
        transaction, records throws(PostgresError) in
        // By user, in the order of their ids' bytes: several issuers meet their locks in one order.
        for (scope, missions) in Self.missions(in: records) {
          closed += try await endGrants(of: missions, scope, in: &transaction)
        }
      }
    } catch { return .failure(IssuerProblem(error)) }
    round.closed = closed.count
    if !closed.isEmpty {
      _ = await drain(closed)
      log.info("Grants ended with their missions.", [.count: .count(closed.count)])
    }
    return .success(round)
  }

  /// Changed records that a grant could name are let go: nothing is made from them yet.
  private static func missions(in records: [QueuedRecord]) -> [(UserScope, [Identifier])] {
    let (app, table) = (Identifier("ai"), Identifier("aiMissions"))
    var byUser: [UserScope: [Identifier]] = [:]
    for record in records where record.address.app == app && record.address.table == table {
      byUser[record.scope, default: []].append(record.address.record)
    }
    return byUser.sorted { $0.key.user < $1.key.user }.map { ($0.key, $0.value) }
  }

  private func endGrants(
    of missions: [Identifier], _ scope: UserScope, in transaction: inout PostgresTransaction
  ) async throws(PostgresError) -> [ClosedGrant] {
    let open = try OpenGrants.decode(
      try await transaction.pipeline([scope.statement, OpenGrants.of(missions: missions, in: scope)])[1])
    guard !open.isEmpty else { return [] }
    let records = open.map {
      RecordAddress(app: Identifier("ai"), table: Identifier("aiMissions"), record: $0.mission)
    }
    var ending: [String] = []
    // One after the other, so that no more than one history is here at a time; numbers are counted before they are
    // written out, for an error would cost everybody else in the round theirs.
    for (grant, record) in zip(open, records) {
      let read = try await transaction.query(
        BoundedReads.histories(of: [record], atMost: BoundedReads.mostBytesOfMission, with: .every, in: scope))
      switch try BoundedReads.decodeHistories(read, count: 1)[0] {
      case .rows(let rows)?:
        if MissionEnding.ends(grant.grant, of: grant.mission, by: rows) { ending.append(grant.grant) }
      case .unreadable?, nil:
        log.warning(
          "A mission's history can't be read, so its grant is left alone.",
          [.userId: .id(scope.user.text), .missionId: .id(grant.mission.text)])
      }
    }
    guard !ending.isEmpty else { return [] }
    return try GrantClosing.decode(
      try await transaction.query(GrantClosing.statement(scope, grants: ending, reason: .missionGone)))
  }
}
