// The queue's end at the issuer: which writes to a mission end its grant, and which leave it alone.

import Contracts
import Postgres
import Store
import StoreSupport
import Testing

@testable import GrantIssuer

@Suite struct GoneMissionTests {
  /// Issues, writes onto the mission what the case says, follows the queue until it is empty; true if the grant is open.
  private func staysOpen(
    _ office: Office, _ mission: String, attached: Bool = true, _ writes: (String) async throws -> Void
  ) async throws -> Bool {
    let user = "u-\(mission)"
    let caller = try await office.addUser(user)
    try await office.addMission(user, mission)
    let more = attached ? #","attach":true"# : ""
    let grant = try await office.issuer.issueGrant(try wish(mission, ["n1"], more), by: caller).get()
    try await writes(user)
    var rounds = 0
    while try await office.issuer.closeGoneMissions().get().changes > 0 { rounds += 1 }
    #expect(rounds > 0, "there was something in the queue")
    let id = try #require(grant["grantId"]?.text)
    let states = try await office.texts(
      "SELECT coalesce(closed_reason, 'open') FROM mana_ai.grants WHERE grant_id = '\(id)'")
    #expect(states == ["open"] || states == ["mission-gone"])
    return states == ["open"]
  }

  struct Case: Sendable {
    let data: String
    var op = "update"
    /// The stamp of what is written; by default it wins over all others.
    var at = "2999"
    var attached = true
    let staysOpen: Bool
    let why: String
  }

  static let cases = [
    Case(data: #"{"title":"x"}"#, staysOpen: true, why: "an edit of something else"),
    Case(data: "{}", op: "delete", staysOpen: false, why: "deleted"),
    Case(data: #"{"state":"archived"}"#, staysOpen: false, why: "archived"),
    Case(data: #"{"state":"paused"}"#, staysOpen: true, why: "paused"),
    Case(data: #"{"grant":null}"#, staysOpen: false, why: "revoked as a client of the seeds does"),
    Case(data: #"{"grant":null}"#, at: "1999", staysOpen: false, why: "revoked on a device whose clock is behind"),
    Case(data: #"{"grant":{"grantId":"another"}}"#, staysOpen: false, why: "another grant in its place"),
    Case(data: #"{"grant":{"wrappedKey":"v1"}}"#, staysOpen: false, why: "a grant of v1 in its place"),
    Case(data: #"{"grant":null}"#, attached: false, staysOpen: true, why: "the mission never carried it"),
    Case(data: "{}", op: "delete", attached: false, staysOpen: false, why: "deleted, whoever carried the grant"),
    Case(data: #"{"deletedAt":"2026-01-01"}"#, staysOpen: false, why: "marked as deleted"),
  ]

  @Test(
    "A mission that is deleted, archived, or loses its grant, takes it along; an edited one does not",
    arguments: Road.allCases)
  func endings(road: Road) async throws {
    try await Office.with(road: road) { office in
      for (number, one) in Self.cases.enumerated() {
        let mission = "m\(number)"
        let fields = try JSONValue(parsing: one.data).object?.members.map { "\"\($0.key.text)\":\"\(one.at)\"" } ?? []
        let isOpen = try await staysOpen(office, mission, attached: one.attached) { user in
          try await office.addRecord(
            user, "aiMissions", mission, one.data, app: "ai", op: one.op, meta: "{\(fields.joined(separator: ","))}")
        }
        #expect(isOpen == one.staysOpen, "\(one.why)")
      }
    }
  }

  @Test("Writing the same grant again, as another device's sync does, changes nothing", arguments: Road.allCases)
  func sameAgain(road: Road) async throws {
    try await Office.with(road: road) { office in
      let stays = try await staysOpen(office, "m") { user in
        let blob = try await office.texts(
          "SELECT (data -> 'grant')::text FROM public.sync_changes WHERE data ? 'grant'")
        try await office.addRecord(
          user, "aiMissions", "m", "{\"grant\":\(try #require(blob.first))}", app: "ai", op: "update")
      }
      #expect(stays)
    }
  }

  @Test(
    "Two issuers that follow one queue close each grant once, and neither waits for the other for ever",
    arguments: Road.allCases)
  func twoIssuers(road: Road) async throws {
    try await Office.with(road: road) { office in
      for number in 0..<20 {
        let caller = try await office.addUser("user\(number)")
        try await office.addMission("user\(number)", "m")
        _ = try await office.issuer.issueGrant(try wish("m", ["n1"]), by: caller).get()
        try await office.addRecord("user\(number)", "aiMissions", "m", "{}", app: "ai", op: "delete")
      }
      let other = try office.issuer()
      let closed = try await withThrowingTaskGroup(of: Int.self) { group in
        for issuer in [office.issuer, other] {
          group.addTask {
            var closed = 0
            while case let round = try await issuer.closeGoneMissions().get(), round.changes > 0 {
              closed += round.closed
            }
            return closed
          }
        }
        return try await group.reduce(0, +)
      }
      // What one held when the other found nothing else is done once both have ended.
      let rest = try await office.issuer.closeGoneMissions().get().closed
      #expect(closed + rest == 20)
      #expect(try await office.number("SELECT count(*) FROM mana_ai.grants WHERE closed_at IS NULL") == 0)
    }
  }
}
