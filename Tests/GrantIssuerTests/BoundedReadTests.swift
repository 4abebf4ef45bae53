// Histories that are longer than the issuer has room for: they cost whoever wrote them, and nobody else, theirs.

import Contracts
import Foundation
import Postgres
import Store
import StoreSupport
import Testing

@testable import GrantIssuer

@Suite("Bounded reads", .serialized)
struct BoundedReadTests {
  /// The most that this process has had in memory at once, in KiB; measured anew from here on.
  private func peak(afterReset reset: Bool = false) throws -> Int {
    if reset { try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .ascii) }
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(reset ? "VmRSS:" : "VmHWM:") })
    return try #require(Int(line.split(separator: " ")[1]))
  }

  /// 100 MB in 100 rows. `data` is SQL for one of them, given `i`.
  private func flood(
    _ office: Office, _ user: String, _ app: String, _ table: String, _ record: String,
    _ data: String = "jsonb_build_object('title', repeat(md5(i::text), 32768))", rows: Int = 100
  ) async throws {
    try await office.script(
      """
      INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, field_meta, client_id, created_at)
      SELECT '\(app)', '\(table)', '\(record)', '\(user)', 'insert', \(data), '{}', 'd', now() + i * interval '1 ms'
      FROM generate_series(1, \(rows)) AS i
      """)
  }

  private func ids(_ answer: JSONValue, _ member: String) -> [String]? {
    answer[member]?.array?.compactMap { $0.text ?? $0["id"]?.text }
  }

  @Test("100 MB of a record's history are named and not read; its neighbours are answered", arguments: Road.allCases)
  func records(road: Road) async throws {
    try await Office.with(road: road) { office in
      let (anna, bert) = (try await office.addUser("anna"), try await office.addUser("bert"))
      try await flood(office, "anna", "notes", "notes", "long")
      let before = try peak(afterReset: true)
      let query = try RecordsQuery(table: "notes", ids: ["n1", "long", "n2", "never"])
      let answer = try await office.issuer.readRecords(query, of: anna).get()
      #expect(ids(answer, "records") == ["n1", "n2"] && ids(answer, "tooLong") == ["long"] && answer["unread"] == nil)
      let own = try await office.issuer.readRecords(query, of: bert).get()
      #expect(ids(own, "records") == ["n1", "n2"] && own["tooLong"] == nil)
      #expect(try peak() - before < 64 << 10, "KiB")
    }
  }

  @Test("Many long histories are answered over several calls, each of them once", arguments: Road.allCases)
  func pages(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      let names = (10..<30).map { "m\($0)" }
      // 1 MiB of each is left when it is folded, so a call has room for few.
      for name in names { try await flood(office, "anna", "notes", "notes", name, rows: name == "m12" ? 6 : 1) }
      var (left, seen, tooLong, calls) = (names, [String](), [String](), 0)
      while !left.isEmpty {
        let answer = try await office.issuer.readRecords(try RecordsQuery(table: "notes", ids: left), of: anna).get()
        seen += try #require(ids(answer, "records"))
        tooLong += ids(answer, "tooLong") ?? []
        left = ids(answer, "unread") ?? []
        calls += 1
        try #require(calls <= names.count)
      }
      #expect(seen == names.filter { $0 != "m12" } && tooLong == ["m12"] && calls > 3)
    }
  }

  @Test("Missions beside one with a history of 100 MB are all on one of the pages", arguments: Road.allCases)
  func missions(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      for mission in ["a", "b", "y", "z"] { try await office.addMission("anna", mission) }
      for mission in ["m1", "m2"] { try await flood(office, "anna", "ai", "aiMissions", mission) }
      let before = try peak(afterReset: true)
      var (seen, tooLong, after, calls) = ([String](), [String](), String?.none, 0)
      repeat {
        let page = try await office.issuer.listMissions(after: after, of: anna).get()
        seen += try #require(ids(page, "missions"))
        tooLong += ids(page, "tooLong") ?? []
        after = page["next"]?.text
        calls += 1
      } while after != nil && calls < 10
      #expect(seen == ["a", "b", "y", "z"] && tooLong == ["m1", "m2"] && after == nil)
      #expect(try peak() - before < 64 << 10, "KiB")
    }
  }

  @Test(
    "Stored numbers that are longer than a text can be, or too slow to write, cost their own record alone",
    arguments: ["(800, 20)", "(9000, 1)"])
  func numbers(shape: String) async throws {
    let (count, rows) = shape == "(9000, 1)" ? (9_000, 1) : (800, 20)
    try await Office.with { office in
      let anna = try await office.addUser("anna")
      try await flood(
        office, "anna", "notes", "notes", "bomb",
        "(SELECT jsonb_build_object('z', jsonb_agg(1e131071::numeric)) FROM generate_series(1, \(count)))", rows: rows)
      let query = try RecordsQuery(table: "notes", ids: ["n1", "bomb", "n2"])
      let answer = try await office.issuer.readRecords(query, of: anna).get()
      #expect(ids(answer, "records") == ["n1", "n2"] && ids(answer, "tooLong") == ["bomb"])
    }
  }

  @Test("A mission that nobody can read keeps its grant; those that are gone lose theirs in the same round")
  func gone() async throws {
    try await Office.with { office in
      var grants: [String: String] = [:]
      for user in ["anna", "bert"] {
        let caller = try await office.addUser(user)
        try await office.addMission(user, "m")
        let grant = try await office.issuer.issueGrant(try wish("m", ["n1"], #","attach":true"#), by: caller).get()
        grants[user] = try #require(grant["grantId"]?.text)
      }
      try await flood(office, "anna", "ai", "aiMissions", "m")
      for user in ["anna", "bert"] {
        try await office.addRecord(user, "aiMissions", "m", "{}", app: "ai", op: "delete")
      }
      let before = try peak(afterReset: true)
      while try await office.issuer.closeGoneMissions().get().changes > 0 {}
      #expect(try peak() - before < 64 << 10, "KiB")
      let open = try await office.texts("SELECT grant_id::text FROM mana_ai.grants WHERE closed_at IS NULL")
      #expect(open == [grants["anna"]])
    }
  }
}
