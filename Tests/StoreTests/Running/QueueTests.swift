// Whatever is written leaves its note, and whatever was noted is seen by whoever took the note, in whatever order
// writers commit.

import Contracts
import Postgres
import Store
import StoreSupport
import Synchronization
import Testing

@Suite struct QueueTests {
  private func mission(_ name: String) -> RecordAddress {
    RecordAddress(app: Identifier("ai"), table: Identifier("aiMissions"), record: Identifier(name))
  }

  private static let insert = Statement(
    """
    INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id)
    VALUES ('ai', 'aiMissions', $2, $1, 'update', $3, 'device')
    """, .text, .text, .jsonb)

  private func write(_ user: String, _ record: String, _ number: Int) -> BoundStatement {
    Self.insert.bind(.text(user), .text(record), .json(#"{"n\#(number)":1}"#))
  }

  @Test("A change that commits late is taken late and is not lost", arguments: Road.allCases)
  func lateCommit(road: Road) async throws {
    try await World.with(road) { world in
      let queue = ChangeQueue(world.runner)
      let user = try scope("a")
      func take() async throws -> [String] {
        let taken = Mutex<[String]>([])
        _ = try await queue.consume(.project) {
          (transaction: inout PostgresTransaction, records: [QueuedRecord]) async throws(PostgresError) in
          for record in records { taken.withLock { $0.append("\(record.address.record.text) \(record.notes)") } }
        }
        return taken.withLock { $0 }
      }
      try await world.sync.withTransaction(of: user) { early throws(any Error) in
        _ = try await early.query(write("a", "first", 1))
        _ = try await world.sync.transact([user.statement, write("a", "second", 2)])
        _ = try await world.sync.transact([user.statement, write("a", "second", 3)])
        #expect(try await take() == ["second 2"])
        #expect(try await take().isEmpty)
      }
      #expect(try await take() == ["first 1"])
      #expect(try await world.number("SELECT count(*) FROM mana_ai.change_queue WHERE topic = 'project'") == 0)
    }
  }

  @Test("Notes that a consumer could not act on are back for the next one", arguments: Road.allCases)
  func givenBack(road: Road) async throws {
    try await World.with(road) { world in
      let queue = ChangeQueue(world.runner)
      let user = try scope("a")
      _ = try await world.sync.transact([user.statement, write("a", "m", 1)])
      let error = try await failure(TransactionError<PostgresError>.self) {
        () async throws(TransactionError<PostgresError>) in
        _ = try await queue.consume(.project) {
          (transaction: inout PostgresTransaction, records: [QueuedRecord]) async throws(PostgresError) in
          throw PostgresError.cancelled
        }
      }
      #expect(error == .body(.cancelled))
      let notes = try await queue.consume(.project) {
        (transaction: inout PostgresTransaction, records: [QueuedRecord]) async throws(PostgresError) in
        #expect(records.map(\.address.record.text) == ["m"])
      }
      #expect(notes == 1)
    }
  }

  @Test(
    "With writers and consumers at once, each record is last read with all of its changes", arguments: Road.allCases)
  func nothingIsLost(road: Road) async throws {
    try await World.with(road, connections: 6) { world in
      let (writers, perWriter) = (4, Rounds.of(40))
      let tally = Tally(writers: writers)
      let queue = ChangeQueue(world.runner)
      @Sendable func consume() async throws -> Int64 {
        try await queue.consume(.project, limit: 7) {
          (transaction: inout PostgresTransaction, records: [QueuedRecord]) async throws(PostgresError) in
          for record in records {
            let rows = try await transaction.pipeline([
              record.scope.statement, SyncChanges.histories(of: [record.address], in: record.scope),
            ])
            guard case .rows(let history) = try SyncChanges.decode(rows[1], count: 1)[0] else { continue }
            tally.seen.withLock { $0["\(record.scope.user.text) \(record.address.record.text)"] = history.count }
          }
        }
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<writers {
          group.addTask {
            let user = "u\(writer % 2)"
            for number in 0..<perWriter {
              _ = try await world.sync.transact([
                try scope(user).statement, write(user, "m\(number % 3)", number), write(user, "m\(number % 5)", number),
              ])
            }
            tally.open.withLock { $0 -= 1 }
          }
        }
        for _ in 0..<3 {
          group.addTask {
            var isLast = false
            while true {
              let taken = try await consume()
              // Once more after the last writer has ended, or a note of his could be overlooked.
              if taken == 0, isLast { return }
              isLast = tally.open.withLock { $0 } == 0
            }
          }
        }
        try await group.waitForAll()
      }
      // A consumer that passed over what another held may have ended before that one; what is left is little.
      while try await consume() > 0 {}
      let rows = try await world.admin.query(Self.counting.bind())
      let wanted = try Dictionary(
        uniqueKeysWithValues: rows.map { (try $0.get(0) as String, Int(try $0.get(1) as Int64)) })
      let seen = tally.seen.withLock { $0 }
      #expect(seen == wanted && wanted.values.reduce(0, +) == writers * perWriter * 2)
      print("queue, \(road.rawValue): \(writers * perWriter * 2) changes of \(wanted.count) records, none lost")
    }
  }

  private final class Tally: Sendable {
    /// Rows that were there when a record was read last.
    let seen = Mutex<[String: Int]>([:])
    let open: Mutex<Int>
    init(writers: Int) { open = Mutex(writers) }
  }

  private static let counting = Statement(
    "SELECT c.user_id || ' ' || c.record_id, count(*) FROM public.sync_changes AS c GROUP BY 1")

  @Test(
    "Histories come in the order of the fold, one per record, and only under their user's scope",
    arguments: Road.allCases)
  func histories(road: Road) async throws {
    try await World.with(road) { world in
      for (user, record) in [("a", "n1"), ("a", "n2"), ("b", "n1"), ("a", "n1")] {
        try await world.addNote(user, record, #"{"of":"\#(user)"}"#)
      }
      func read(as user: String, _ scope: UserScope) async throws -> [Int] {
        let wanted = [note("n2"), note("none"), note("n1"), note("n1")]
        let rows = try await world.resolver.transact([
          try UserScope(Identifier(user)).statement, SyncChanges.histories(of: wanted, in: scope),
        ])
        return try SyncChanges.decode(rows[1], count: wanted.count).map { history in
          guard case .rows(let rows) = history else { return -1 }
          #expect(zip(rows, rows.dropFirst()).allSatisfy { $0.position < $1.position })
          #expect(rows.allSatisfy { $0.data?.object?["of"]?.text == user })
          return rows.count
        }
      }
      #expect(try await read(as: "a", try scope("a")) == [1, 0, 2, 2])
      #expect(try await read(as: "b", try scope("b")) == [0, 0, 1, 1])
      #expect(try await read(as: "b", try scope("a")) == [0, 0, 0, 0], "the scope binds, whoever is named")
      let unscoped = try await world.resolver.query(SyncChanges.histories(of: [note("n1")], in: try scope("a")))
      #expect(unscoped.isEmpty)
    }
  }
}
