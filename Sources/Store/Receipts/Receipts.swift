// Opening and redeeming: two transactions in one round trip. The first writes the audit and commits, the second hands
// out key shares for rows that are committed, and reads the records themselves. Where a unit fails as a whole, its
// missions are tried one by one, so that one of them can't cost the others their tick. What a unit brings at once is
// bounded; a mission that needs more is read apart, when whoever asked has done with the rest.

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
    let room = BoundedReads.share(of: unit.members.count)
    switch await openAndRedeem(unit.members, nil, deadline) {
    case .released(let outcomes, let opened): return ReleasedUnit(outcomes, opened, in: unit)
    case .notOpened(let error) where !error.isOfTheStatement:
      return ReleasedUnit(unit.members.map { MissionOutcome(place: $0.place, failure: error) }, [], in: unit)
    case .notOpened:
      var (outcomes, opened): ([MissionOutcome], [OpenedMission]) = ([], [])
      for member in unit.members {
        let (outcome, mission) = await alone(member, room, deadline)
        outcomes.append(outcome)
        if let mission { opened.append(mission) }
      }
      return ReleasedUnit(outcomes, opened, in: unit)
    case .notRedeemed(let opened, let error):
      return ReleasedUnit(await oneByOne(opened, room, after: error, deadline), opened, in: unit)
    }
  }

  /// Reads a mission for which there was no room beside the others, in all the room there is. What it brings may be as
  /// large as a unit's, so whoever asks has opened and forgotten what was read before.
  nonisolated(nonsending)
    package func release(_ apart: ApartMission, deadline: Deadline? = nil) async -> ReleasedMission
  {
    let deadline = self.deadline(deadline)
    do throws(PostgresError) {
      return ReleasedMission(try await redeem(apart.opened, BoundedReads.mostBytesOfUnit, .every, deadline))
    } catch {
      guard error.isOfTheStatement else { return apart.unread(error) }
    }
    // What could be read beside the others can be read without them.
    do throws(PostgresError) {
      return ReleasedMission(try await redeem(apart.opened, apart.room, .ordinary, deadline))
    } catch { return apart.unread(error) }
  }

  /// A mission by itself, with a batch of its own; what was opened for it, if anything was.
  nonisolated(nonsending)
    private func alone(
      _ member: Member, _ room: Int, _ deadline: Deadline
    ) async -> (MissionOutcome, OpenedMission?)
  {
    var last = PostgresError.deadline
    for _ in 0..<Self.attempts {
      switch await openAndRedeem([member], room, deadline) {
      case .released(let outcomes, let opened): if let outcome = outcomes.first { return (outcome, opened.first) }
      case .notRedeemed(let opened, let error):
        if let outcome = await oneByOne(opened, room, after: error, deadline).first { return (outcome, opened.first) }
      case .notOpened(let error):
        last = error
        guard error.isCollision else { return (MissionOutcome(place: member.place, failure: error), nil) }
      }
    }
    return (MissionOutcome(place: member.place, failure: last), nil)
  }

  /// Redeems again what is open already; a batch may be redeemed as often as its receipts are young enough.
  nonisolated(nonsending)
    private func oneByOne(
      _ opened: [OpenedMission], _ room: Int, after error: PostgresError, _ deadline: Deadline
    ) async -> [MissionOutcome]
  {
    var outcomes: [MissionOutcome] = []
    for mission in opened {
      guard error.isOfTheStatement else {
        outcomes.append(MissionOutcome(mission, unredeemed: error))
        continue
      }
      do throws(PostgresError) {
        outcomes.append(try await redeem(mission, room, .every, deadline))
      } catch { outcomes.append(MissionOutcome(mission, unredeemed: error)) }
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

  /// `room` is how much may be read of each user, where it is not what the number of users makes it.
  nonisolated(nonsending)
    private func openAndRedeem(_ members: [Member], _ room: Int?, _ deadline: Deadline) async -> Attempt
  {
    let missions = members.map { BatchedMission(place: $0.place, batch: makeBatch(), opening: $0.opening) }
    let reading = RedeemUnit(missions, with: .ordinary, room)
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
    private func redeem(
      _ opened: OpenedMission, _ room: Int, _ care: BoundedReads.Care, _ deadline: Deadline
    ) async throws(PostgresError) -> MissionOutcome
  {
    let reading = RedeemUnit([opened.mission], with: care, room)
    let outcomes = try await pool.pipeline([reading.unit], deadline: deadline)
    guard let rows = try outcomes.first?.allRows(), let outcome = try reading.decode(rows, [opened]).first else {
      throw .protocolViolation(.unexpectedResult)
    }
    return outcome
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
