// What all the bad days of the built resolver share: a server of their own that may be stopped and killed, callers who go
// on asking, a witness of what they were shown, and the reckoning afterwards. Whatever happened: each chain verifies,
// recomputed outside of the database, and whatever was shown has its committed row.

import Contracts
import Foundation
import Postgres
import PostgresSupport
import ServiceProcesses
import Store
import StoreSupport
import Synchronization
import Testing

@testable import Operator

enum Failure {
  static let keyName = "2026-01-01.resolver.pem"
  static let keys = [keyName: Pair.own.pem]

  /// A durable server that no other suite uses, for the disasters.
  static func server() async throws -> TemporaryCluster { try await OwnServer.shared.get() }

  private actor OwnServer {
    static let shared = OwnServer()
    private var starting: Task<TemporaryCluster, any Error>?

    func get() async throws -> TemporaryCluster {
      if let starting { return try await starting.value }
      let task = Task { try await TemporaryCluster.start(.durable) }
      starting = task
      return try await task.value
    }
  }

  /// Callers who ask again and again for as long as something else goes on. The first error of one of them is the test's.
  static func underLoad<Value: Sendable>(
    _ callers: Int = 3, _ ask: @escaping @Sendable () async throws -> Void,
    while body: () async throws -> Value
  ) async throws -> Value {
    let isOver = Flag()
    return try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<callers {
        group.addTask { while !isOver.isSet { try await ask() } }
      }
      let result: Result<Value, any Error>
      do { result = .success(try await body()) } catch { result = .failure(error) }
      isOver.set()
      try await group.waitForAll()
      return try result.get()
    }
  }
}

final class Flag: Sendable {
  private let value = Atomic(false)
  var isSet: Bool { value.load(ordering: .acquiring) }
  func set() { value.store(true, ordering: .releasing) }
}

/// Calls a resolver whose database, connections or process may fail under it, and remembers what it was shown.
final class Witness: Sendable {
  private struct Claim: Hashable {
    let user: String
    let record: String
    let from: Int
    let to: Int
    let hash: String
  }

  private struct Memory {
    var claims: Set<Claim> = []
    var shown = 0
    var lost = 0
  }

  private let memory = Mutex(Memory())

  var shown: Int { memory.withLock { $0.shown } }
  /// Missions that got an outage, or a call that failed as a whole.
  var lost: Int { memory.withLock { $0.lost } }

  /// One call. True if every mission was answered; an outage and a 503 are the only other answers there may be.
  @discardableResult
  func ask(_ caller: Caller, _ requests: [ResolveCall.Request]) async throws -> Bool {
    let answers = try await answers(caller, requests)
    return answers.count == requests.count && answers.allSatisfy { $0.outage == nil }
  }

  /// The same, for those who look at the answers; none of a call that failed as a whole.
  func answers(_ caller: Caller, _ requests: [ResolveCall.Request]) async throws -> [Answer] {
    let body = ResolveCall(purpose: "mission-tick", requests: requests).json.compactBytes()
    let answer = try await caller.resolve(body)
    guard answer.status == 200 else {
      #expect(answer.status == 503, "\(answer.body)")
      memory.withLock { $0.lost += requests.count }
      return []
    }
    let results = try JSONValue(parsing: answer.body)["results"]?.array ?? []
    #expect(results.count == requests.count)
    return zip(requests, results).map { note($0, $1) }
  }

  private func note(_ request: ResolveCall.Request, _ result: JSONValue) -> Answer {
    let answer = Answer(result)
    guard answer.outage == nil else {
      #expect(answer.outage == "unavailable" && answer.inputs.isEmpty && answer.grant == nil)
      memory.withLock { $0.lost += 1 }
      return answer
    }
    #expect(answer.inputs.count == request.inputs.count)
    for input in result["inputs"]?.array ?? [] {
      guard let record = input["id"]?.text, let from = answer.from, let to = answer.to, let hash = answer.hash else {
        Issue.record("something was shown without naming its receipts")
        continue
      }
      let claim = Claim(user: request.user, record: record, from: from, to: to, hash: hash)
      memory.withLock { memory in
        memory.shown += 1
        memory.claims.insert(claim)
      }
    }
    return answer
  }

  /// Asks until all is answered again; no wait but the answers' own.
  func isServed(_ caller: Caller, _ requests: [ResolveCall.Request]) async throws -> Bool {
    for _ in 0..<2_000 where try await ask(caller, requests) { return true }
    return false
  }

  // MARK: The reckoning

  /// Everything that was shown has its committed row and stands in the chain where its answer said; every chain verifies.
  func reckon(_ world: World) async throws {
    let claims = memory.withLock { $0.claims }
    #expect(!claims.isEmpty, "nothing was shown, so nothing was checked")
    var ok: [String: [Int]] = [:]
    var hashes: [String: String] = [:]
    for line in try await world.texts(
      """
      SELECT concat_ws(' ', user_id, seq, encode(hash, 'hex'), status, record_id, of_seq IS NULL)
      FROM mana_ai.decrypt_audit
      """)
    {
      let words = line.split(separator: " ").map(String.init)
      hashes["\(words[0]) \(words[1])"] = words[2]
      if words[3] == "ok", words[5] == "t" { ok["\(words[0]) \(words[4])", default: []].append(Int(words[1]) ?? 0) }
    }
    for claim in claims {
      #expect(hashes["\(claim.user) \(claim.to)"] == claim.hash, "\(claim): the end that was told is not on the log")
      let rows = ok["\(claim.user) \(claim.record)"] ?? []
      #expect(rows.contains { $0 >= claim.from && $0 <= claim.to }, "\(claim): shown without a committed row")
    }
    try await world.verifyChains()
  }
}

extension World {
  /// By the operator's verifier, which makes each hash again from its row.
  func verifyChains() async throws {
    let answer = try await AuditVerify.verify(AuditReading(admin), only: nil, [:])
    #expect(answer.chains > 0 && answer.rows > 0 && answer.moreFindings == 0)
    #expect(answer.findings.map { "\($0.user): \($0.sentence)" } == [])
  }

  /// So many users with one note each, which a grant opens; the calls that ask for them.
  func addReaders(_ count: Int, mission: String = "m") async throws -> [ResolveCall.Request] {
    var requests: [ResolveCall.Request] = []
    for user in (0..<count).map({ "u\($0)" }) {
      try await addUser(user)
      try await addNote(user, "n1", title: "T", content: "C")
      requests.append(request(user, mission, try await addGrant(user, mission, ["notes:n1"]).json, notes("n1")))
    }
    return requests
  }

  /// Asks the database until it has such a row, or none any more; there is an end to it.
  func until(_ rows: String, isThere: Bool = true) async throws {
    for _ in 0..<20_000 where try await texts("SELECT 'row' FROM \(rows) LIMIT 1").isEmpty != isThere { return }
    Issue.record("the database never came to that: \(rows)")
  }

  /// Until the server has ended all that a resolver who is gone had asked of this database.
  func untilDeserted() async throws {
    try await until(
      "pg_stat_activity WHERE usename = 'mandate_resolver' AND datname = current_database()", isThere: false)
  }
}
