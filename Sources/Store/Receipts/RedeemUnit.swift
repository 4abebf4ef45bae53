// The second half of a unit: redeem, then each user's reads under that user's scope, in one transaction.

import Contracts
import Postgres

struct RedeemUnit {
  let unit: PipelineUnit
  private let users: [UserReads]

  /// The missions of one user, who come one behind the other, and all they want to read.
  private struct UserReads {
    let scope: UserScope
    var missions: [BatchedMission]
    var addresses: [RecordAddress] { missions.flatMap(\.readable) }
  }

  init(_ missions: [BatchedMission]) {
    var users: [UserReads] = []
    for mission in missions {
      if users.last?.scope == mission.opening.scope {
        users[users.count - 1].missions.append(mission)
      } else {
        users.append(UserReads(scope: mission.opening.scope, missions: [mission]))
      }
    }
    var statements = [ReadPlanning.statement, RedeemStatement.bind(missions)]
    for user in users {
      let addresses = user.addresses
      statements.append(user.scope.statement)
      statements.append(SyncChanges.histories(of: addresses, in: user.scope))
      statements.append(SealedCopies.of(addresses, in: user.scope))
    }
    self.users = users
    unit = PipelineUnit(statements)
  }

  /// `opened` are the missions that the unit was made of, in the same order.
  func decode(_ rows: [Rows], _ opened: [OpenedMission]) throws(PostgresError) -> [MissionOutcome] {
    guard rows.count == 2 + 3 * users.count else { throw .protocolViolation(.unexpectedResult) }
    let answers = try RedeemStatement.decode(rows[1])
    var outcomes: [MissionOutcome] = []
    var remaining = opened[...]
    for (index, user) in users.enumerated() {
      let count = user.addresses.count
      var histories = try SyncChanges.decode(rows[3 + 3 * index], count: count)[...]
      var copies = try SealedCopies.decode(rows[4 + 3 * index], count: count)[...]
      for _ in user.missions {
        guard let mission = remaining.popFirst() else { throw .protocolViolation(.unexpectedResult) }
        let read = mission.mission.readable.count
        outcomes.append(
          Self.outcome(mission, answers[mission.mission.batch] ?? [:], histories.prefix(read), copies.prefix(read)))
        histories = histories.dropFirst(read)
        copies = copies.dropFirst(read)
      }
    }
    return outcomes
  }

  private static func outcome(
    _ opened: OpenedMission, _ answers: [Int64: RedeemStatement.Answer], _ histories: ArraySlice<RecordHistory>,
    _ copies: ArraySlice<JSONObject?>
  ) -> MissionOutcome {
    var outcome = MissionOutcome(place: opened.mission.place, head: opened.head)
    var (histories, copies) = (histories, copies)
    for (wish, receipt) in zip(opened.mission.opening.wishes, opened.receipts) {
      // What was read for a record that the database then refused stays here.
      let history = wish.refusal == nil ? histories.popFirst() : nil
      let copy = wish.refusal == nil ? copies.popFirst() : nil
      let state: RecordOutcome.State
      switch (receipt.refusal, answers[receipt.seq]) {
      case (let refusal?, _): state = .refused(refusal.status, refusal.reason, failing: false)
      case (nil, .refused(let reason)?): state = .refused(reason.status, reason, failing: true)
      case (nil, .key(let key)?): state = .released(key, history ?? .rows([]), copies: copy ?? nil)
      case (nil, nil) where !opened.mission.opening.hasGrant:
        state = .released(nil, history ?? .rows([]), copies: copy ?? nil)
      case (nil, nil):
        // Its receipt was too old by the time it was redeemed. What became of its neighbours came too late as well.
        return MissionOutcome(
          place: opened.mission.place, head: opened.head, failure: .deadline, unredeemed: opened.okIDs)
      }
      outcome.records.append(
        RecordOutcome(id: opened.mission.id(receipt.seq), address: wish.address, state: state))
    }
    return outcome
  }
}
