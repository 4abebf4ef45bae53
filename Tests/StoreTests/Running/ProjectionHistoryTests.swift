// Whatever writers do, in whatever order they commit and however a refresh cuts it: a snapshot that has caught up is
// the fold of its record's whole history.

import Contracts
import Foundation
import Missions
import Postgres
import Store
import StoreSupport
import Synchronization
import Testing

@Suite struct ProjectionHistoryTests {
  private static let keys = ["title", "state", "nextRunAt", "deletedAt", "id", "__fieldMeta", "é", ""]
  private static let values = [
    "null", "true", "0", "-0.0", "1e2", #""""#, #""active""#, #""paused""#, #""2027-01-01T10:00:00Z""#, "[]",
    #"{"a":{"b":[1,null]}}"#,
  ]
  private static let stamps = [
    #""2026-04-15T10:00:00.000Z""#, #""2026-04-15T10:00:02.000Z""#, #""2026-04-15T12:00:01.000+02:00""#, #""""#,
    #""zzz""#, "null", "7", #"{"at":"2026"}"#,
  ]

  private static func object(of choices: [String], _ random: inout SeededGenerator) -> String {
    let chosen = keys.shuffled(using: &random).prefix(Int.random(in: 0...5, using: &random))
    return "{" + chosen.map { "\"\($0)\":" + (choices.randomElement(using: &random) ?? "0") }.joined(separator: ",")
      + "}"
  }

  /// Times go forward in small steps and a little back again, so that rows share one and come behind older ones.
  private static func change(_ clock: Int64, _ random: inout SeededGenerator) -> TestChange {
    let isAgent = Int.random(in: 0..<3, using: &random) == 0
    return TestChange(
      user: ["a", "b"].randomElement(using: &random) ?? "a", table: isAgent ? "agents" : "aiMissions",
      record: ["1", "2"].randomElement(using: &random) ?? "1",
      op: Int.random(in: 0..<60, using: &random) == 0 ? "delete" : Bool.random(using: &random) ? "insert" : "update",
      data: Int.random(in: 0..<8, using: &random) == 0 ? nil : object(of: values, &random),
      stamps: Int.random(in: 0..<5, using: &random) == 0 ? nil : object(of: stamps, &random),
      at: clock + Int64.random(in: -4...4, using: &random) * 400,
      id: UInt128(UInt64.random(in: .min ... .max, using: &random)) << 64 | 1)
  }

  @Test(
    "Changes that commit in any order, refreshed at any moment in bites and pages of any size, end as the whole history",
    arguments: Road.allCases)
  func randomOrders(road: Road) async throws {
    try await World.with(road) { world in
      var (compared, changes, refolded, resumed) = (0, 0, 0, 0)
      for seed in UInt64(0)..<25 {
        var random = SeededGenerator(seed: seed)
        var clock: Int64 = 0
        try await world.script(
          """
          DELETE FROM mana_ai.change_queue; DELETE FROM public.sync_changes; DELETE FROM mana_ai.mission_snapshots;
          DELETE FROM mana_ai.agent_snapshots
          """)
        for _ in 0..<24 {
          switch Int.random(in: 0..<12, using: &random) {
          case 0:
            try await world.script(
              "UPDATE mana_ai.change_queue SET changed_at = NULL, change_id = NULL WHERE seq % 3 = 0")
          case 1:
            try await world.script(
              """
              UPDATE mana_ai.mission_snapshots SET last_applied_id = NULL, record = record || '{"wrong":1}'
              WHERE mission_id = '1' AND EXISTS (SELECT FROM mana_ai.change_queue AS q WHERE q.record_id = '1'
                AND q.user_id = mission_snapshots.user_id AND q.table_name = 'aiMissions')
              """)
          case 2...5:
            let tally = try await world.refresh(
              limit: Int32.random(in: 1...6, using: &random), page: Int32.random(in: 1...4, using: &random))
            refolded += tally.refolded
            resumed += tally.updated - tally.refolded
          default:
            let batch = (0..<Int.random(in: 1...5, using: &random)).map { _ in Self.change(clock, &random) }
            clock += 1_200
            try await world.write(batch)
            changes += batch.count
          }
        }
        try await world.refreshAll(limit: Int32.random(in: 1...9, using: &random), page: 2)
        compared += try await world.compareWithWholeHistories()
      }
      #expect(compared > 150 && refolded > 50 && resumed > 50)
      print(
        "projections, \(road.rawValue): \(changes) changes in random order, \(resumed) refreshes went on, \(refolded) began anew; "
          + "\(compared) snapshots are their whole histories")
    }
  }

  @Test(
    "Writers that hold their transactions open and several refreshers at once lose nothing", arguments: Road.allCases)
  func concurrent(road: Road) async throws {
    try await World.with(road, connections: 8) { world in
      let (writers, rounds) = (5, 25)
      let open = OpenWriters(writers)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<writers {
          group.addTask {
            var random = SeededGenerator(seed: UInt64(writer))
            for round in 0..<rounds {
              let user = ["a", "b"].randomElement(using: &random) ?? "a"
              // The rows carry the time at which their transaction began, and it ends after others began and ended.
              try await world.sync.withTransaction(of: try scope(user)) { transaction throws(any Error) in
                for step in 0..<Int.random(in: 1...4, using: &random) {
                  let isAgent = Bool.random(using: &random)
                  _ = try await transaction.query(
                    Self.inserting.bind(
                      .text(user), .text(isAgent ? "agents" : "aiMissions"),
                      .text("r\(Int.random(in: 0..<3, using: &random))"),
                      .json(#"{"w\#(writer)":\#(round),"last":"\#(writer)-\#(round)-\#(step)"}"#)))
                }
              }
            }
            open.count.withLock { $0 -= 1 }
          }
        }
        for _ in 0..<2 {
          group.addTask {
            var isLast = false
            while true {
              let tally = try await world.refresh(limit: 5, page: 3)
              if tally.notes == 0, isLast { return }
              isLast = open.count.withLock { $0 } == 0
            }
          }
        }
        try await group.waitForAll()
      }
      try await world.refreshAll()
      let compared = try await world.compareWithWholeHistories()
      #expect(compared == 12)
      print("projections, \(road.rawValue): \(compared) snapshots of \(writers) writers and 2 refreshers are alike")
    }
  }

  private final class OpenWriters: Sendable {
    let count: Mutex<Int>
    init(_ count: Int) { self.count = Mutex(count) }
  }

  private static let inserting = Statement(
    """
    INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id)
    VALUES ('ai', $2, $3, $1, 'update', $4, 'device')
    """, .text, .text, .text, .jsonb)

  @Test("The published histories end in the table as published, refreshed after any row", arguments: Road.allCases)
  func published(road: Road) async throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "VectorChecksTests/Fixtures/seeds-record-replay.json")
    let cases = try #require(
      try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))["cases"]?.array, "a list of cases")
    try await World.with(road) { world in
      var (compared, splits) = (0, 0)
      for item in cases {
        // Fields that are called like what every JavaScript object inherits are ours to read otherwise.
        guard item["tags"]?.texts?.contains("js-artifact") == false else { continue }
        let rows = try #require(item["rows"]?.array)
        // The log admits three words; the fold takes any other for a write.
        guard rows.allSatisfy({ ["insert", "update", "delete"].contains($0["op"]?.text) }) else { continue }
        for split in 0...rows.count {
          for (place, row) in rows.enumerated() {
            if place == split { try await world.refreshAll() }
            try await world.write(
              TestChange(
                record: item["recordId"]?.text ?? "", op: row["op"]?.text ?? "", data: row["data"]?.compactText(),
                stamps: row["field_meta"]?.compactText(), at: try Self.microseconds(row["created_at"]?.text ?? ""),
                id: UInt128(place)))
          }
          try await world.refreshAll()
          let expected = item["expected"]?["snapshot"] ?? .null
          let found = try await world.admin.query(
            Self.published.bind(expected.isNull ? .null : .json(expected.compactText())))
          #expect(try found.only().get(0) as Bool, "\(item["id"]?.text ?? "") split at \(split)")
          splits += 1
          try await world.script("DELETE FROM mana_ai.mission_snapshots; DELETE FROM public.sync_changes")
        }
        compared += 1
      }
      #expect(compared > 20 && compared > cases.count - 5)
      print("projections, \(road.rawValue): \(compared) published histories, \(splits) splits")
    }
  }

  /// `…sss` or `…ssssss` digits of a second, in UTC, as the change counts them.
  private static func microseconds(_ text: String) throws -> Int64 {
    let instant = try #require(Instant(iso: text))
    let below = text.utf8.count == 27 ? Int64(text.dropLast().suffix(3)) ?? 0 : 0
    return instant.milliseconds * 1_000 + below - 946_684_800_000_000 - TestChange.start
  }

  /// Where there is no mission there is no row, or the mark of one that was deleted.
  private static let published = Statement(
    """
    SELECT count(*) FILTER (WHERE s.record::text IS DISTINCT FROM
        coalesce($1::text, jsonb_build_object('__fieldMeta', 'deleted')::text)) = 0
      AND (count(*) = 1 OR $1 IS NULL)
    FROM mana_ai.mission_snapshots AS s
    """, .jsonb)
}
