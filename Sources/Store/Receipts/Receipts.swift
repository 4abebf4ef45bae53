// Opening and redeeming: two transactions in one round trip. The first writes the audit and commits, the second hands
// out key shares for rows that are committed, and reads the records themselves. Where a unit fails as a whole, its
// missions are tried one by one, so that one of them can't cost the others their tick.

package import Postgres

package struct Receipts: Sendable {
  private let pool: PostgresPool
  /// A new UUID in lower case each time.
  private let makeBatch: @Sendable () -> String

  /// How often a mission that is tried alone may collide with others before that is its answer.
  private static let attempts = 3

  package init(_ pool: PostgresPool, makeBatch: @escaping @Sendable () -> String) {
    self.pool = pool
    self.makeBatch = makeBatch
  }

  nonisolated(nonsending)
    func query(_ statement: BoundStatement, deadline: Deadline?) async throws(PostgresError) -> Rows
  {
    try await pool.query(statement, deadline: deadline)
  }

  func deadline(_ given: Deadline?) -> Deadline { given ?? .after(pool.limits.callTime) }

  /// Never throws: what went wrong is said mission by mission, for each may have gone wrong in its own way.
  nonisolated(nonsending)
    package func release(_ unit: ReceiptUnit, deadline: Deadline? = nil) async -> ReleasedUnit
  {
    let deadline = self.deadline(deadline)
    switch await openAndRedeem(unit.members, deadline) {
    case .released(let outcomes, let opened):
      return ReleasedUnit(unit.members.count > 1 ? await withMoreRoom(outcomes, opened, deadline) : outcomes)
    case .notOpened(let error) where !error.isOfTheStatement:
      return ReleasedUnit(unit.members.map { MissionOutcome(place: $0.place, failure: error) })
    case .notOpened:
      var outcomes: [MissionOutcome] = []
      for member in unit.members { outcomes.append(await alone(member, deadline)) }
      return ReleasedUnit(outcomes)
    case .notRedeemed(let opened, let error):
      return ReleasedUnit(await oneByOne(opened, after: error, deadline))
    }
  }

  /// A mission by itself, with a batch of its own.
  nonisolated(nonsending)
    private func alone(_ member: Member, _ deadline: Deadline) async -> MissionOutcome
  {
    var last = PostgresError.deadline
    for _ in 0..<Self.attempts {
      switch await openAndRedeem([member], deadline) {
      case .released(let outcomes, _): if let outcome = outcomes.first { return outcome }
      case .notRedeemed(let opened, let error):
        if let outcome = await oneByOne(opened, after: error, deadline).first { return outcome }
      case .notOpened(let error):
        last = error
        guard error.isCollision else { return MissionOutcome(place: member.place, failure: error) }
      }
    }
    return MissionOutcome(place: member.place, failure: last)
  }

  /// Missions of which not everything could be read beside the others are read again alone, in all the room there is.
  nonisolated(nonsending)
    private func withMoreRoom(
      _ outcomes: [MissionOutcome], _ opened: [OpenedMission], _ deadline: Deadline
    ) async -> [MissionOutcome]
  {
    var roomier: [MissionOutcome] = []
    for (outcome, mission) in zip(outcomes, opened) {
      guard outcome.records.contains(where: \.state.isTooLarge) else {
        roomier.append(outcome)
        continue
      }
      do throws(PostgresError) { roomier += try await redeem([mission], deadline) } catch { roomier.append(outcome) }
    }
    return roomier
  }

  /// Redeems again what is open already; a batch may be redeemed as often as its receipts are young enough.
  nonisolated(nonsending)
    private func oneByOne(
      _ opened: [OpenedMission], after error: PostgresError, _ deadline: Deadline
    ) async -> [MissionOutcome]
  {
    var outcomes: [MissionOutcome] = []
    for mission in opened {
      var failure = error
      if error.isOfTheStatement {
        do throws(PostgresError) {
          outcomes += try await redeem([mission], deadline)
          continue
        } catch { failure = error }
      }
      outcomes.append(
        MissionOutcome(
          place: mission.mission.place, head: mission.head, failure: failure, unredeemed: mission.okIDs))
    }
    return outcomes
  }

  // MARK: The round trip

  private typealias Member = (place: Int, opening: MissionOpening)

  private enum Attempt {
    case released([MissionOutcome], [OpenedMission])
    /// Nothing was opened that anybody could redeem.
    case notOpened(PostgresError)
    /// The receipts are committed, and nothing has been released for them.
    case notRedeemed([OpenedMission], PostgresError)
  }

  nonisolated(nonsending)
    private func openAndRedeem(_ members: [Member], _ deadline: Deadline) async -> Attempt
  {
    let missions = members.map { BatchedMission(place: $0.place, batch: makeBatch(), opening: $0.opening) }
    let reading = RedeemUnit(missions, with: .ordinary)
    let outcomes: [UnitOutcome]
    do throws(PostgresError) {
      outcomes = try await pool.pipeline(
        [PipelineUnit(OpenStatement.bind(missions)), reading.unit], deadline: deadline)
    } catch { return .notOpened(error) }
    guard outcomes.count == 2 else { return .notOpened(.protocolViolation(.unexpectedResult)) }

    let opened: [OpenedMission]
    do throws(PostgresError) {
      opened = try OpenStatement.decode(try outcomes[0].rows(), missions)
    } catch { return .notOpened(error) }
    do throws(PostgresError) {
      return .released(try reading.decode(try outcomes[1].allRows(), opened), opened)
    } catch { return .notRedeemed(opened, error) }
  }

  /// For those whose company, or who themselves, could not be read in the ordinary way.
  nonisolated(nonsending)
    private func redeem(_ opened: [OpenedMission], _ deadline: Deadline) async throws(PostgresError) -> [MissionOutcome]
  {
    let reading = RedeemUnit(opened.map(\.mission), with: .every)
    let outcomes = try await pool.pipeline([reading.unit], deadline: deadline)
    guard let outcome = outcomes.first else { throw .protocolViolation(.unexpectedResult) }
    return try reading.decode(try outcome.allRows(), opened)
  }
}

extension PostgresError {
  /// The server looked at what was asked and refused it, or answered something unreadable: asking for less may help.
  var isOfTheStatement: Bool {
    switch self {
    case .server, .decoding, .parameter: true
    default: false
    }
  }

  /// Two transactions met; the same again may well succeed.
  var isCollision: Bool {
    guard case .server(let error) = self else { return false }
    return [.deadlockDetected, .serializationFailure, .lockNotAvailable].contains(error.state)
  }
}

extension UnitOutcome {
  fileprivate func allRows() throws(PostgresError) -> [Rows] {
    switch self {
    case .success(let rows): return rows
    case .failure(let failure): throw failure.error
    }
  }

  fileprivate func rows() throws(PostgresError) -> Rows {
    guard let rows = try allRows().first else { throw .protocolViolation(.unexpectedResult) }
    return rows
  }
}
