// The second half of a unit: redeem, then each user's reads under that user's scope, in one transaction.

import Contracts
import Postgres

struct RedeemUnit {
  let unit: PipelineUnit
  private let users: [UserReads]

  /// The missions of one user, who come one behind the other, and all they want to read, each record once: many
  /// missions look at the same few.
  private struct UserReads {
    let scope: UserScope
    private(set) var missions: [BatchedMission] = []
    private(set) var addresses: [RecordAddress] = []
    private var places: [RecordAddress: Int] = [:]

    init(scope: UserScope) { self.scope = scope }

    mutating func add(_ mission: BatchedMission) {
      missions.append(mission)
      for address in mission.readable where places[address] == nil {
        places[address] = addresses.count
        addresses.append(address)
      }
    }

    func place(of wish: MissionOpening.Wish) -> Int? { wish.refusal == nil ? places[wish.address] : nil }
  }

  /// `room` is how many bytes may be read of each user; nil for an equal share of what a unit may bring.
  init(_ missions: [BatchedMission], with care: BoundedReads.Care, _ room: Int?) {
    var users: [UserReads] = []
    for mission in missions {
      if users.last?.scope != mission.opening.scope { users.append(UserReads(scope: mission.opening.scope)) }
      users[users.count - 1].add(mission)
    }
    let bytes = room ?? BoundedReads.share(of: users.count)
    var statements = [ReadPlanning.statement, RedeemStatement.bind(missions)]
    for user in users {
      statements.append(user.scope.statement)
      statements.append(BoundedReads.histories(of: user.addresses, atMost: bytes, with: care, in: user.scope))
      statements.append(
        SealedCopies.of(user.addresses, atMost: bytes + BoundedReads.framesOfCopies, in: user.scope))
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
      let histories = try BoundedReads.decodeHistories(rows[3 + 3 * index], count: count)
      let copies = try SealedCopies.decode(rows[4 + 3 * index], count: count)
      for _ in user.missions {
        guard let mission = remaining.popFirst() else { throw .protocolViolation(.unexpectedResult) }
        outcomes.append(
          Self.outcome(mission, answers[mission.mission.batch] ?? [:]) { wish in
            user.place(of: wish).map { (histories[$0], copies[$0]) } ?? (.rows([]), nil)
          })
      }
    }
    return outcomes
  }

  private static func outcome(
    _ opened: OpenedMission, _ answers: [Int64: RedeemStatement.Answer],
    _ read: (MissionOpening.Wish) -> (history: RecordHistory?, copies: JSONObject?)
  ) -> MissionOutcome {
    var outcome = MissionOutcome(place: opened.mission.place, head: opened.head)
    for (wish, receipt) in zip(opened.mission.opening.wishes, opened.receipts) {
      // What was read for a record that the database then refused stays here.
      let (history, copies) = read(wish)
      let state: RecordOutcome.State
      switch (receipt.refusal, answers[receipt.seq]) {
      case (let refusal?, _): state = .refused(refusal.status, refusal.reason, failing: false)
      case (nil, .refused(let reason)?): state = .refused(reason.status, reason, failing: true)
      case (nil, .key(let key)?): state = .read(history, copies, with: key)
      case (nil, nil) where !opened.mission.opening.hasGrant: state = .read(history, copies, with: nil)
      case (nil, nil):
        // Its receipt was too old by the time it was redeemed. What became of its neighbours came too late as well.
        return MissionOutcome(opened, unredeemed: .deadline)
      }
      outcome.records.append(
        RecordOutcome(id: opened.mission.id(receipt.seq), address: wish.address, state: state))
    }
    return outcome
  }
}
