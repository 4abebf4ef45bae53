// The three functions as an attacker with the resolver's login would call them: statement by statement, in whatever
// order and transaction, without any of the types that our own code has to go through.

import Postgres

struct RawMission: Sendable {
  var batch = newID()
  var user: String
  var mission: String
  var grant: String?
  var records: [String]
  var table = "notes"
  var statuses: [String?] = []
  var reasons: [String?] = []
  var v1 = false
}

enum Raw {
  static func open(_ missions: RawMission...) -> BoundStatement { open(missions) }

  static func open(_ missions: [RawMission]) -> BoundStatement {
    var places: [Int64?] = []
    var tables: [String?] = []
    var records: [String?] = []
    var statuses: [String?] = []
    var reasons: [String?] = []
    for (index, mission) in missions.enumerated() {
      for (number, record) in mission.records.enumerated() {
        places.append(Int64(index + 1))
        tables.append(mission.table)
        records.append(record)
        statuses.append(number < mission.statuses.count ? mission.statuses[number] : nil)
        reasons.append(number < mission.reasons.count ? mission.reasons[number] : nil)
      }
    }
    return opening.bind(
      .textArray(missions.map(\.batch)), .textArray(missions.map(\.user)), .textArray(missions.map(\.mission)),
      .textArray(missions.map(\.grant)), .textArray(missions.map { $0.v1 ? "t" : "f" }), .int8Array(places),
      .textArray(tables), .textArray(records), .textArray(statuses), .textArray(reasons))
  }

  static func redeem(_ missions: RawMission...) -> BoundStatement {
    redeem(missions.map(\.batch), missions.map(\.user))
  }

  static func redeem(_ batches: [String], _ users: [String?]) -> BoundStatement {
    redeeming.bind(.textArray(batches), .textArray(users))
  }

  static func fail(_ mission: RawMission, _ seqs: [Int64], _ reasons: [String?]) -> BoundStatement {
    failing.bind(
      .textArray(seqs.map { _ in mission.batch }), .textArray(seqs.map { _ in mission.user }), .int8Array(seqs),
      .textArray(reasons))
  }

  private static let opening = Statement(
    """
    SELECT o.status || coalesce(' ' || o.reason, ''), o.seq FROM mana_ai.open_receipts($1::uuid[], $2, $3, $4,
      array_fill('i'::text, ARRAY[cardinality($2)]), array_fill('p'::text, ARRAY[cardinality($2)]), $5::boolean[],
      $6::integer[], $7, $8, $9, $10) AS o
    """,
    [
      .textArray, .textArray, .textArray, .textArray, .textArray, .int8Array, .textArray, .textArray, .textArray,
      .textArray,
    ], reuse: .once)
  private static let redeeming = Statement(
    """
    SELECT r.record_id, r.share, r.wrapped_key, r.claims, r.reason FROM mana_ai.redeem_receipts($1::uuid[], $2) AS r
    """, .textArray, .textArray, reuse: .once)
  private static let failing = Statement(
    "SELECT f.of_seq FROM mana_ai.fail_receipts($1::uuid[], $2, $3, $4) AS f",
    .textArray, .textArray, .int8Array, .textArray, reuse: .once)
}

extension Rows {
  /// The records of which anything was released, in order of their ids.
  func released() throws -> [String] {
    try filter { !($0.isNull(1) && $0.isNull(2) && $0.isNull(3)) }.map { try $0.get(0) as String }.sorted()
  }

  func texts(_ column: Int = 0) throws -> [String?] { try map { try $0.get(column) } }
}
