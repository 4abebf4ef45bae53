// One record while it is refreshed: whether it goes on from what is stored or begins anew, which rows it still wants,
// and what is to be written in the end.

import Contracts
import Postgres

struct RecordRefresh<Fold: ProjectionFold>: Sendable {
  private let record: QueuedRecord
  private let kind: ProjectionKind
  private var fold: Fold
  private(set) var pages: ChangePages
  private(set) var rows = 0
  private(set) var isUnreadable = false
  let isNew: Bool
  let isRefolded: Bool

  init(_ record: QueuedRecord, _ kind: ProjectionKind, stored: StoredProjection?) {
    (self.record, self.kind) = (record, kind)
    isNew = stored == nil
    let id = record.address.record
    if let span = record.span, let stored, let position = stored.position, position < span.lowerBound,
      let resumed = Self.resume(id, stored.record, position)
    {
      (fold, isRefolded) = (resumed, false)
      pages = ChangePages(record.address, after: position, to: span.upperBound)
    } else {
      (fold, isRefolded) = (Fold(recordID: id), stored != nil)
      pages = ChangePages(record.address, after: nil, to: Self.end(record, stored))
    }
  }

  /// A snapshot may stand behind the last note: then it is folded as far as it was. How far one without a position
  /// was folded nobody knows, so everything is.
  private static func end(_ record: QueuedRecord, _ stored: StoredProjection?) -> ChangePosition? {
    guard let span = record.span else { return nil }
    guard let stored else { return span.upperBound }
    return stored.position.map { max($0, span.upperBound) }
  }

  private static func resume(_ id: Identifier, _ record: JSONObject, _ position: ChangePosition) -> Fold? {
    do throws(Fold.Problem) {
      return try Fold(recordID: id, resuming: record, at: position)
    } catch {
      return nil  // Nothing that we stored: folded anew, it will be.
    }
  }

  var scope: UserScope { record.scope }
  var wantsMore: Bool { !isUnreadable && !pages.isAtEnd }
  var isWritten: Bool { isUnreadable || rows > 0 }

  mutating func take(_ answer: Rows, limit: Int32) throws(PostgresError) {
    rows += answer.count
    guard let changes = try pages.take(answer, limit: limit) else { return isUnreadable = true }
    do throws(Fold.Problem) {
      for change in changes { try fold.fold(change) }
    } catch {
      isUnreadable = true  // Rows whose times differ only where they do not fit, so that their order is nobody's.
    }
  }

  /// Nil where the log has no rows of it (any more), so that there is nothing to say.
  func write() -> BoundStatement? {
    let id = record.address.record
    // Refolded for a note at or before its position: that change is not in what is stored.
    if isUnreadable { return Projections.park(kind, id, isWhole: !isRefolded, in: scope) }
    guard isWritten, let (stored, position) = fold.stored else { return nil }
    let resumable = position.exactTime == nil ? nil : position.id
    switch kind {
    case .mission:
      let columns = fold.missionColumns
      return Projections.write(
        MissionProjection(
          mission: id, record: stored, appliedAt: position.time, appliedID: resumable, state: columns.state,
          nextRun: columns.nextRun.flatMap(Self.timestamp), parked: columns.parked), in: scope)
    case .agent:
      return Projections.write(
        AgentProjection(
          agent: id, record: stored, appliedAt: position.time, appliedID: resumable, state: fold.agentColumns.state),
        in: scope)
    }
  }

  /// Every instant that ISO can spell fits.
  private static func timestamp(_ instant: Instant) -> PostgresTimestamp? {
    PostgresTimestamp(unixMicroseconds: instant.milliseconds * 1_000)
  }
}
