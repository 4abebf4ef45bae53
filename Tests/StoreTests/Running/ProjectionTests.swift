// A refresh reads what is new and not the history; what was deleted keeps its row; what can't be read stands in
// nobody's way.

import Contracts
import Missions
import Postgres
import Store
import StoreSupport
import Testing

@Suite struct ProjectionTests {
  private func record(_ world: World, _ mission: String = "m") async throws -> String? {
    let rows = try await world.admin.query(Self.reading.bind(.text(mission)))
    return try rows.first().map { try $0.get(0) }
  }

  private static let reading = Statement(
    """
    SELECT (s.record - '__fieldMeta')::text || ' ' || coalesce(s.state, '-') || ' ' || coalesce(s.parked_reason, '-')
    FROM mana_ai.mission_snapshots AS s WHERE s.mission_id = $1
    """, .text)

  @Test(
    "Three changes behind two thousand cost three rows, and one that commits late costs them all, once",
    arguments: Road.allCases)
  func cost(road: Road) async throws {
    try await World.with(road) { world in
      let history = (0..<2_000).map { TestChange(data: #"{"n":\#($0)}"#, at: Int64($0) * 10, id: UInt128($0 + 1)) }
      _ = try await world.admin.pipeline([PipelineUnit(history.map { $0.insert() })])
      let first = try await world.refreshAll()
      #expect(first == (rows: 2_000, refolded: 0), "a long history is read in bites, each row once")
      try await world.write(
        (0..<3).map { TestChange(data: #"{"n":-\#($0)}"#, at: 30_000 + Int64($0), id: UInt128(10_000 + $0)) })
      let tally = try await world.refresh()
      #expect(tally.rows == 3 && tally.refolded == 0 && tally.notes == 3 && tally.updated == 1 && tally.users == 1)
      try await world.write(TestChange(data: #"{"late":1}"#, at: 5, id: 20_000))
      let late = try await world.refresh()
      #expect(late.rows == 2_004 && late.refolded == 1)
      #expect(try await world.refresh() == RefreshTally())
      #expect(try await world.compareWithWholeHistories() == 1)
    }
  }

  @Test("What happened to a user's other missions meanwhile is not read", arguments: Road.allCases, [false, true])
  func neighbours(road: Road, analyzed: Bool) async throws {
    try await World.with(road) { world in
      let history = (0..<2_000).map { TestChange(data: #"{"n":\#($0)}"#, at: Int64($0), id: UInt128($0 + 1)) }
      _ = try await world.admin.pipeline([PipelineUnit(history.map { $0.insert() })])
      // Statistics that know one record alone make every index look alike.
      if analyzed { try await world.script("ANALYZE public.sync_changes") }
      let others = (0..<3_000).map {
        TestChange(record: "other", data: #"{"n":\#($0)}"#, at: Int64($0) * 10 + 2_001, id: UInt128($0 + 10_000))
      }
      _ = try await world.admin.pipeline([PipelineUnit(others.map { $0.insert() })])
      try await world.refreshAll()
      // A server process reports what it read at the latest when it ends.
      for pool in [world.runner, world.sync, world.admin] { _ = await pool.drain(deadline: .after(.seconds(30))) }
      let read =
        "SELECT (idx_tup_fetch + seq_tup_read)::text FROM pg_stat_user_tables WHERE relname = 'sync_changes'"
      let before = try await rowsRead(world.database, read)
      // More often than it takes the server to plan once and for all.
      try await world.database.withPool(as: .runner, maximum: 1) { runner in
        for round in 1...10 {
          let change = TestChange(data: #"{"n":-\#(round)}"#, at: Int64(round) * 3_000, id: UInt128(90_000 + round))
          try await world.database.withPool(as: .sync) {
            _ = try await $0.transact([try scope("a").statement, change.insert()])
          }
          let tally = try await ProjectionRefresh(runner, by: FoldState.self).run()
          #expect(tally.rows == 1 && tally.updated == 1 && tally.refolded == 0)
        }
      }
      let after = try await rowsRead(world.database, read)
      #expect(after - before == 10)
    }
  }

  /// When nobody but the one who asks is connected any more.
  private func rowsRead(_ database: PreparedDatabase, _ sql: String) async throws -> Int {
    let others = "SELECT 'x' FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    for _ in 0..<10_000 where try await database.texts(others).isEmpty {
      return try #require(Int(try await database.texts(sql).first ?? ""))
    }
    throw SupportProblem.neverAlone
  }

  @Test(
    "Rows of one transaction, whose ids are in no order, are folded once when their notes are taken together",
    arguments: Road.allCases)
  func oneTransaction(road: Road) async throws {
    try await World.with(road) { world in
      try await world.write((0..<200).map { TestChange(data: #"{"n":\#($0)}"#, at: 0, id: UInt128(($0 * 77) % 200)) })
      #expect(try await world.refreshAll(page: 7) == (rows: 200, refolded: 0))
      #expect(try await world.compareWithWholeHistories() == 1)
    }
  }

  @Test(
    "A snapshot that a former system left is folded from the first row, whatever stands in it", arguments: Road.allCases
  )
  func formerSnapshot(road: Road) async throws {
    try await World.with(road) { world in
      // The pause was stamped by a device whose clock is behind; the former refresh read the insert again (F-14).
      try await world.write(
        TestChange(op: "insert", data: #"{"state":"active"}"#, at: 5, id: 1),
        TestChange(data: #"{"state":"paused"}"#, stamps: #"{"state":"2020-01-01T00:00:00.000Z"}"#, at: 6, id: 2))
      try await world.script(
        """
        DELETE FROM mana_ai.change_queue;
        INSERT INTO mana_ai.mission_snapshots (user_id, mission_id, record, last_applied_at)
        VALUES ('a', 'm', '{"id":"m","state":"active","__fieldMeta":{"state":"2026-01-01T00:00:00.000Z"}}', now())
        """)
      try await world.write(TestChange(data: #"{"title":"t"}"#, at: 7, id: 3))
      let tally = try await world.refresh()
      #expect(tally.rows == 3 && tally.refolded == 1 && tally.updated == 1 && tally.created == 0)
      #expect(try await record(world) == #"{"id": "m", "state": "paused", "title": "t"} paused -"#)
      #expect(try await world.compareWithWholeHistories() == 1)
    }
  }

  @Test(
    "A deleted mission and an agent marked as deleted keep their rows; clearing the mark brings the agent back",
    arguments: Road.allCases)
  func deleted(road: Road) async throws {
    try await World.with(road) { world in
      let user = try scope("a")
      func agent() async throws -> JSONObject? {
        let rows = try await world.runner.transact([user.statement, Projections.agent(Identifier("g"), in: user)])
        return try Projections.decodeAgent(rows[1])
      }
      try await world.write(
        TestChange(data: #"{"state":"active","nextRunAt":"2020-01-01T00:00:00Z"}"#, at: 1, id: 1),
        TestChange(table: "agents", record: "g", data: #"{"name":"n"}"#, at: 1, id: 2))
      #expect(try await world.refresh().created == 2)
      #expect(try await agent()?["name"]?.text == "n")
      try await world.write(
        TestChange(op: "delete", at: 2, id: 3),
        TestChange(table: "agents", record: "g", data: #"{"deletedAt":"2026-01-01"}"#, at: 2, id: 4))
      #expect(try await world.refresh().rows == 2)
      #expect(try await agent() == nil)
      #expect(try await DueMissions(world.runner, owner: "me").claim(limit: 9, lease: .seconds(9)).isEmpty)
      try await world.write(
        TestChange(data: #"{"state":"active"}"#, at: 3, id: 5),
        TestChange(table: "agents", record: "g", data: #"{"deletedAt":null}"#, at: 3, id: 6))
      let tally = try await world.refresh()
      #expect(tally.rows == 2 && tally.refolded == 0, "the history is not read again")
      #expect(try await agent()?["name"]?.text == "n")
      #expect(try await record(world) == "{} - -")
      #expect(try await world.compareWithWholeHistories() == 2)
    }
  }

  @Test(
    "A mission whose changes can't be read is parked, its neighbours are refreshed, and it is not handed out",
    arguments: Road.allCases)
  func unreadable(road: Road) async throws {
    try await World.with(road) { world in
      let active = #"{"state":"active","nextRunAt":"2020-01-01T00:00:00Z"}"#
      try await world.write(
        TestChange(data: active, at: 1, id: 1), TestChange(record: "other", data: active, at: 1, id: 2))
      #expect(try await world.refresh().created == 2)
      let deep = String(repeating: "[", count: 3_000) + String(repeating: "]", count: 3_000)
      try await world.write(
        TestChange(data: "{\"x\":\(deep)}", at: 2, id: 3),
        TestChange(record: "new", data: "{\"x\":\(deep)}", at: 2, id: 4),
        TestChange(record: "other", data: #"{"n":1}"#, at: 2, id: 5))
      let tally = try await world.refresh()
      #expect(tally.unreadable == 2 && tally.created == 1 && tally.updated == 2)
      #expect(try await record(world)?.hasSuffix("active unreadable") == true)
      #expect(try await record(world, "new") == "{} - unreadable")
      let due = try await DueMissions(world.runner, owner: "me").claim(limit: 9, lease: .seconds(60))
      #expect(due.map(\.mission.text) == ["other"])
      // What comes after it does not hide it.
      try await world.write(TestChange(data: #"{"n":2}"#, at: 3, id: 6))
      #expect(try await world.refresh().unreadable == 1)
    }
  }

  @Test(
    "A change that came late, together with one that can't be read, is there once that one is gone",
    arguments: Road.allCases)
  func lateAndUnreadable(road: Road) async throws {
    try await World.with(road) { world in
      let tables = ["aiMissions", "agents"]
      for (place, table) in tables.enumerated() {
        try await world.write(TestChange(table: table, data: #"{"state":"active"}"#, at: 10, id: 1 + UInt128(place)))
      }
      #expect(try await world.refresh().created == 2)
      let deep = String(repeating: "[", count: 3_000) + String(repeating: "]", count: 3_000)
      for (place, table) in tables.enumerated() {
        try await world.write(
          TestChange(table: table, data: #"{"late":true}"#, at: 5, id: 3 + UInt128(place)),
          TestChange(table: table, data: "{\"x\":\(deep)}", at: 20, id: 5 + UInt128(place)))
      }
      #expect(try await world.refresh().unreadable == 2)
      let deleted: Int64 = try await world.admin.query(
        Statement(
          """
          WITH gone AS (DELETE FROM public.sync_changes WHERE data::text LIKE '%[[[%' RETURNING 1)
          SELECT count(*) FROM gone
          """
        ).bind()
      ).only().get(0)
      #expect(deleted == 2)
      for (place, table) in tables.enumerated() {
        try await world.write(TestChange(table: table, data: #"{"n":2}"#, at: 30, id: 7 + UInt128(place)))
      }
      #expect(try await world.refresh().refolded == 2)
      #expect(try await world.compareWithWholeHistories() == 2)
    }
  }

  @Test(
    "Who parked a mission is asked: an edit leaves it parked, another due time or state hands it out again",
    arguments: Road.allCases)
  func parked(road: Road) async throws {
    try await World.with(road) { world in
      try await world.write(TestChange(data: #"{"state":"active","nextRunAt":"soon"}"#, at: 1, id: 1))
      _ = try await world.refresh()
      #expect(try await record(world)?.hasSuffix("active next-run-unreadable") == true)
      try await world.write(TestChange(data: #"{"nextRunAt":"2020-01-01T00:00:00Z"}"#, at: 2, id: 2))
      _ = try await world.refresh()
      #expect(try await record(world)?.hasSuffix("active -") == true)
      try await world.script("UPDATE mana_ai.mission_snapshots SET parked_reason = 'too-many-failures'")
      try await world.write(TestChange(data: #"{"title":"t"}"#, at: 3, id: 3))
      _ = try await world.refresh()
      #expect(try await record(world)?.hasSuffix("active too-many-failures") == true)
      try await world.write(TestChange(data: #"{"nextRunAt":"2020-01-02T00:00:00Z"}"#, at: 4, id: 4))
      _ = try await world.refresh()
      #expect(try await record(world)?.hasSuffix("active -") == true)
    }
  }

  @Test(
    "A time at the end of what the log can hold is folded, and folded from the first row each time",
    arguments: Road.allCases)
  func endOfTime(road: Road) async throws {
    try await World.with(road) { world in
      try await world.write(TestChange(data: #"{"n":1}"#, at: 1, id: 1), TestChange(data: #"{"n":2}"#, at: 2, id: 2))
      try await world.script("UPDATE public.sync_changes SET created_at = 'infinity' WHERE data = '{\"n\":2}'")
      try await world.script(
        "UPDATE mana_ai.change_queue SET changed_at = 'infinity' WHERE changed_at = (SELECT max(changed_at) FROM mana_ai.change_queue)"
      )
      #expect(try await world.refresh().rows == 2)
      try await world.write(TestChange(data: #"{"t":3}"#, at: 3, id: 3))
      let tally = try await world.refresh()
      #expect(tally.rows == 3 && tally.refolded == 1)
      #expect(try await record(world) == #"{"n": 2, "t": 3, "id": "m"} - -"#)
    }
  }

  @Test(
    "Another's rows stay out of a history, although both share a space that a session names", arguments: Road.allCases)
  func sharedSpace(road: Road) async throws {
    try await World.with(road) { world in
      try await world.write(
        TestChange(data: #"{"mine":1}"#, at: 2, id: 1), TestChange(user: "b", data: #"{"yours":1}"#, at: 1, id: 2))
      try await world.script("UPDATE public.sync_changes SET space_id = 's'")
      let spaces = Statement("SELECT set_config('app.current_user_space_ids', 's', true)").bind()
      let count = Statement("SELECT count(*) FROM public.sync_changes").bind()
      let user = try scope("a")
      let bare = Statement("SELECT set_config('app.current_user_id', 'a', true)").bind()
      #expect(
        try await world.sync.transact([bare, spaces, count])[2].only().get(0) as Int64 == 2, "the policy is there")
      #expect(try await world.sync.transact([spaces, user.statement, count])[2].only().get(0) as Int64 == 1)
      _ = try await world.refreshAll()
      #expect(try await world.compareWithWholeHistories() == 2)
      #expect(
        try await world.number(
          "SELECT count(*) FROM mana_ai.mission_snapshots WHERE record ? 'mine' AND record ? 'yours'") == 0)
    }
  }

  @Test(
    "Every writer's note says where its change stands", arguments: Road.allCases,
    ["sync", "superuser", "bulk", "runner"])
  func positions(road: Road, writer: String) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      let values =
        "SELECT 'ai', 'aiMissions', 'm' || i, 'a', 'update', 'mana-ai-runner' FROM generate_series(1, 50) AS i"
      let insert = "INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id) \(values)"
      switch writer {
      case "sync": _ = try await world.sync.transact([try scope("a").statement, Statement(insert).bind()])
      case "runner": _ = try await world.runner.transact([try scope("a").statement, Statement(insert).bind()])
      case "bulk": for _ in 0..<3 { try await world.script(insert) }
      default: try await world.script("SET app.current_user_id = 'b'; \(insert)")
      }
      let wrong = """
        SELECT count(*) FROM mana_ai.change_queue AS q LEFT JOIN public.sync_changes AS c
          ON c.id = q.change_id AND c.created_at = q.changed_at AND c.record_id = q.record_id AND c.user_id = q.user_id
        WHERE c.id IS NULL
        """
      #expect(try await world.number(wrong) == 0)
      #expect(try await world.number("SELECT count(*) FROM mana_ai.change_queue") == (writer == "bulk" ? 300 : 100))
      #expect(try await world.refreshAll().refolded == 0)
    }
  }
}
