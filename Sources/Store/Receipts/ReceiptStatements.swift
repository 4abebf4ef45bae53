// The two halves of a unit as statements, and how their rows are read. The functions' own rules are in
// m0009_receipts.sql.

import Contracts
import Postgres

/// A mission whose batch id has been chosen.
struct BatchedMission: Sendable {
  let place: Int
  let batch: String
  let opening: MissionOpening

  /// What the caller does not refuse itself; only these are read.
  var readable: [RecordAddress] { opening.wishes.filter { $0.refusal == nil }.map(\.address) }

  func id(_ seq: Int64) -> ReceiptID { ReceiptID(user: opening.scope.user, batch: batch, seq: seq) }
}

/// A mission whose receipts are committed.
struct OpenedMission: Sendable {
  struct Receipt: Sendable {
    let seq: Int64
    /// Nil for a receipt that is ok.
    let refusal: (status: AuditStatus, reason: AuditReason)?
  }
  let mission: BatchedMission
  var receipts: [Receipt] = []
  var head: ChainHead?

  var okIDs: [ReceiptID] { receipts.filter { $0.refusal == nil }.map { mission.id($0.seq) } }
}

enum OpenStatement {
  static func bind(_ missions: [BatchedMission]) -> BoundStatement {
    var places: [Int64] = []
    var wishes: [MissionOpening.Wish] = []
    for (index, mission) in missions.enumerated() {
      places += [Int64](repeating: Int64(index + 1), count: mission.opening.wishes.count)
      wishes += mission.opening.wishes
    }
    let statuses = missions.flatMap { mission in mission.opening.wishes.map { mission.opening.status(of: $0) } }
    return statement.bind(
      .textArray(missions.map(\.batch)), .utf8Array(missions.map(\.opening.scope.user.utf8)),
      .utf8Array(missions.map(\.opening.mission.utf8)), .utf8Array(missions.map { $0.opening.grantID?.utf8 }),
      .utf8Array(missions.map { $0.opening.iteration?.utf8 }), .utf8Array(missions.map { $0.opening.purpose?.utf8 }),
      .textArray(missions.map { $0.opening.authority == .v1Blob ? "t" : "f" }), .int8Array(places),
      .utf8Array(wishes.map(\.address.table.utf8)), .utf8Array(wishes.map(\.address.record.utf8)),
      .textArray(statuses), .textArray(wishes.map { $0.refusal?.rawValue }))
  }

  private static let statement = Statement(
    """
    SELECT o.batch, o.seq, o.hash, o.status, o.reason
    FROM mana_ai.open_receipts($1::uuid[], $2, $3, $4, $5, $6, $7::boolean[], $8::integer[], $9, $10, $11, $12) AS o
    """,
    [
      .textArray, .textArray, .textArray, .textArray, .textArray, .textArray, .textArray, .int8Array, .textArray,
      .textArray, .textArray, .textArray,
    ])

  /// One row per wish, in the order of the wishes; the last row of a user is the new end of the user's chain.
  static func decode(_ rows: Rows, _ missions: [BatchedMission]) throws(PostgresError) -> [OpenedMission] {
    guard rows.count == missions.reduce(0, { $0 + $1.opening.wishes.count }) else {
      throw .decoding(DecodingProblem(column: 0, reason: .rows(rows.count)))
    }
    var opened = missions.map { OpenedMission(mission: $0) }
    var heads: [Identifier: ChainHead] = [:]
    var next = 0
    for (index, mission) in missions.enumerated() {
      for _ in mission.opening.wishes {
        let row = rows[next]
        next += 1
        guard try row.get(0, as: String.self) == mission.batch else { throw malformed(0) }
        let seq: Int64 = try row.get(1)
        heads[mission.opening.scope.user] = ChainHead(seq: seq, hash: try row.get(2))
        opened[index].receipts.append(OpenedMission.Receipt(seq: seq, refusal: try refusal(row)))
      }
    }
    for index in opened.indices { opened[index].head = heads[opened[index].mission.opening.scope.user] }
    return opened
  }

  private static func refusal(_ row: Row) throws(PostgresError) -> (status: AuditStatus, reason: AuditReason)? {
    guard let status = AuditStatus(rawValue: try row.get(3)) else { throw malformed(3) }
    guard status != .ok else { return nil }
    guard let reason = AuditReason(rawValue: try row.get(4)) else { throw malformed(4) }
    return (status, reason)
  }

  private static func malformed(_ column: Int) -> PostgresError {
    .decoding(DecodingProblem(column: column, reason: .malformed))
  }
}

extension MissionOpening {
  fileprivate var grantID: Identifier? { if case .grant(let id) = authority { id } else { nil } }

  /// With a grant nobody but the database says ok; without one the caller has decided.
  fileprivate func status(of wish: Wish) -> String? {
    if let refusal = wish.refusal { return refusal.status.rawValue }
    return grantID == nil ? AuditStatus.ok.rawValue : nil
  }

  var hasGrant: Bool { grantID != nil }
}

enum RedeemStatement {
  /// What the database said about one receipt: the key, or why there is none any more.
  enum Answer: Sendable {
    case key(ReleasedKey)
    case refused(AuditReason)
  }

  static func bind(_ missions: [BatchedMission]) -> BoundStatement {
    statement.bind(.textArray(missions.map(\.batch)), .utf8Array(missions.map(\.opening.scope.user.utf8)))
  }

  private static let statement = Statement(
    """
    SELECT r.batch, r.seq, r.reason, r.key_id, r.wrapped_key, r.claims, r.share, r.now
    FROM mana_ai.redeem_receipts($1::uuid[], $2) AS r
    """, .textArray, .textArray)

  static func decode(_ rows: Rows) throws(PostgresError) -> [String: [Int64: Answer]] {
    var answers: [String: [Int64: Answer]] = [:]
    // All rows of a batch carry the same wrap and claims; they are kept once.
    var grants: [String: ReleasedGrant] = [:]
    for row in rows {
      let batch: String = try row.get(0)
      let seq: Int64 = try row.get(1)
      let reason: String? = try row.get(2)
      if let reason {
        guard let reason = AuditReason(rawValue: reason) else {
          throw .decoding(DecodingProblem(column: 2, reason: .malformed))
        }
        answers[batch, default: [:]][seq] = .refused(reason)
        continue
      }
      let grant: ReleasedGrant
      if let known = grants[batch] {
        grant = known
      } else {
        grant = ReleasedGrant(
          keyID: try row.get(3), wrappedKey: try row.get(4), claims: try row.get(5), now: try row.get(7))
        grants[batch] = grant
      }
      answers[batch, default: [:]][seq] = .key(ReleasedKey(grant: grant, share: try row.get(6)))
    }
    return answers
  }
}

/// Reads are planned for full tables whatever the tables held when a connection first planned them, and each of them ends
/// in time for the others of its unit to be read without it.
enum ReadPlanning {
  static let statement = Statement(
    """
    SELECT pg_catalog.set_config('enable_seqscan', 'off', true),
      pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true),
      pg_catalog.set_config('statement_timeout', '\(BoundedReads.longestRead.components.seconds)s', true)
    """
  ).bind()
}
