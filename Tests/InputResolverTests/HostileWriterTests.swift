// What a writer of the change log can do to those who read it: histories without end, numbers that are larger than they
// look, and the same record many times over. It costs the writer's own answer and nothing else.

import Contracts
import Foundation
import Glibc
import Grants
import Postgres
import Secrets
import Testing

@testable import InputResolver

@Suite("A hostile writer of the change log", .serialized)
struct HostileWriterTests {
  /// A stored number of some ten bytes, 131,072 characters when it is read, so many times in so many rows.
  private func addBomb(_ world: World, _ user: String, _ id: String, numbers: Int, rows: Int) async throws {
    try await world.run(
      """
      INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id, created_at)
      SELECT 'notes', 'notes', $2, $1, 'insert', jsonb_build_object('title', 'x', 'zzz', n.list), 'd', now()
      FROM (SELECT jsonb_agg(1e131071::numeric) FROM generate_series(1, \(numbers))) AS n (list)
      CROSS JOIN generate_series(1, \(rows))
      """, user, id)
  }

  @Test(
    "Stored numbers that are a hundred megabytes of text, more than a text can be, or too slow to write, harm nobody else",
    arguments: [(800, 1), (9_000, 1), (800, 40)])
  func numbers(count: Int, rows: Int) async throws {
    try await World.with { world in
      for user in ["a", "b"] {
        try await world.addUser(user)
        try await world.addNote(user, "n1", title: "T", content: "C")
      }
      try await addBomb(world, "a", "bomb", numbers: count, rows: rows)
      let own = try await world.addGrant("a", "m", ["notes:bomb", "notes:n1"])
      let other = try await world.addGrant("b", "m", ["notes:n1"])
      let before = try Self.mostResident()
      let answers = try await world.resolver().answers([
        request("a", "m", own.json, notes("n1", "bomb")), request("b", "m", other.json, notes("n1")),
      ])
      #expect(answers.map(\.inputs) == [["n1: T | C", "bomb: batch-too-large"], ["n1: T | C"]])
      #expect(try Self.mostResident() - before < 64 << 20)
      #expect(try await world.log("a").contains { $0.hasPrefix("bomb failed batch-too-large ") })
    }
  }

  @Test("A mission that needs more room than its neighbours leave is read alone and answered whole")
  func room() async throws {
    try await World.with { world in
      for user in ["a", "b", "c", "d"] {
        try await world.addUser(user)
        try await world.addNote(user, "n1", title: "T", content: "C")
      }
      // 12 MB of history; beside three others 4 MiB may be read.
      try await world.run(
        """
        INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, field_meta, client_id, created_at)
        SELECT 'notes', 'notes', 'long', 'a', 'update', jsonb_build_object('title', 'v' || i, 'zzz', repeat(md5(i::text), 32)),
          jsonb_build_object('title', '2026'), 'd', now() + i * interval '1 ms'
        FROM generate_series(1, 11000) AS i
        """)
      var requests: [ResolveCall.Request] = []
      for user in ["a", "b", "c", "d"] {
        let ids = user == "a" ? ["n1", "long"] : ["n1"]
        let grant = try await world.addGrant(user, "m", ids.map { "notes:\($0)" })
        requests.append(
          request(user, "m", grant.json, ids.map { ResolveCall.InputRef(module: "notes", table: "notes", id: $0) }))
      }
      let answers = try await world.resolver().answers(requests)
      #expect(answers[0].inputs == ["n1: T | C", "long: v11000 | \"\""])
      #expect(answers.dropFirst().allSatisfy { $0.inputs == ["n1: T | C"] })
      #expect(try await world.log("a") == ["n1 ok", "long ok"])
    }
  }

  @Test("A record that many missions want, or one mission many times, is read once and shown to each")
  func repeated() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      try await world.run(
        """
        INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id, created_at)
        VALUES ('notes', 'notes', 'n2', 'a', 'insert', jsonb_build_object('title', 'x', 'zzz', repeat('y', 4000000)), 'd',
          now())
        """)
      var requests: [ResolveCall.Request] = []
      for mission in ["m1", "m2", "m1"] {
        let grant = try await world.addGrant("a", mission + newID(), ["notes:n1", "notes:n2"])
        let wanted = (0..<100).flatMap { _ in notes("n1", "n2") }
        requests.append(
          request("a", try #require(grant.json["derivation"]?["missionId"]?.text), grant.json, wanted))
      }
      let before = try Self.mostResident()
      let answers = try await world.resolver().answers(requests)
      #expect(answers.map(\.inputs.count) == [200, 200, 200])
      #expect(answers.allSatisfy { Set($0.inputs) == ["n1: T | C", "n2: x | \"\""] })
      #expect(try Self.mostResident() - before < 128 << 20)
      #expect(try await world.log("a").count == 600, "each look has its row")
    }
  }

  @Test("Twenty thousand revisions are folded, and a record deleted among them stays deleted")
  func revisions() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.run(
        """
        INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, field_meta, client_id, created_at)
        SELECT 'notes', 'notes', r.id, 'a', CASE WHEN r.id = 'gone' AND i = 10000 THEN 'delete' ELSE 'update' END,
          jsonb_build_object('title', i::text), jsonb_build_object('title', to_char(i, 'FM000000')), 'd',
          now() + i * interval '1 ms'
        FROM unnest(ARRAY['long', 'gone']) AS r (id) CROSS JOIN generate_series(1, 20000) AS i
        """)
      let grant = try await world.addGrant("a", "m", ["notes:gone", "notes:long"])
      let answer = try await world.resolver().answer(request("a", "m", grant.json, notes("long", "gone")))
      #expect(answer.inputs == ["long: 20000 | \"\"", "gone: record-missing"])
    }
  }

  @Test("A history of nothing but small values, as long as one may be, fits into half of what the unit file allows")
  func smallValues() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.run(
        """
        INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id, created_at)
        SELECT 'notes', 'notes', 'n1', 'a', 'insert', jsonb_build_object('title', 'x', 'zzz', jsonb_agg(0)), 'd', now()
        FROM generate_series(1, 5500000)
        """)
      let grant = try await world.addGrant("a", "m", ["notes:n1"])
      let before = try Self.mostResident()
      let answer = try await world.resolver().answer(request("a", "m", grant.json, notes("n1")))
      #expect(answer.inputs == ["n1: x | \"\""])
      let grown = try Self.mostResident() - before
      #expect(grown < 512 << 20, "\(grown >> 20) MiB")
    }
  }

  /// The most memory this process has ever had at once.
  private static func mostResident() throws -> Int {
    let status = String(decoding: try Data(contentsOf: URL(filePath: "/proc/self/status")), as: UTF8.self)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }) << 10
  }
}
