// What the columns of a mission's snapshot say, and what keeps a mission from being found.

import Contracts
import Missions
import Testing

@Suite("When a mission is due")
struct MissionDueTests {
  private func due(_ data: String) throws -> MissionDue? {
    History.state([try History.row(0, .insert, data)]).due
  }

  @Test("A due time is an instant, however its zone is spelled")
  func instants() throws {
    let utc = try #require(try due(#"{"state":"active","nextRunAt":"2026-04-15T10:00:00.000Z"}"#))
    let berlin = try #require(try due(#"{"state":"active","nextRunAt":"2026-04-15T12:00:00+02:00"}"#))
    #expect(utc == berlin)
    #expect(utc.state == "active")
    #expect(utc.nextRun == .at(Instant(milliseconds: History.start / 1000)))
  }

  @Test("Without a time a mission is never due", arguments: ["{}", #"{"nextRunAt":null}"#])
  func never(data: String) throws { #expect(try due(data)?.nextRun == .never) }

  @Test(
    "What names no moment is never due, and is told from no time at all",
    arguments: ["\"\"", #""0""#, #""soon""#, #""2026-04-15""#, #""2026-02-30T10:00:00Z""#, "0", "false", "{}", "[]"])
  func unreadable(spelled: String) throws { #expect(try due("{\"nextRunAt\":\(spelled)}")?.nextRun == .unreadable) }

  @Test(
    "A mission with any deletedAt but null has no state to be found by", arguments: [#""2026""#, "\"\"", "false", "0"])
  func deleted(mark: String) throws {
    #expect(try due("{\"state\":\"active\",\"deletedAt\":\(mark)}")?.state == nil)
    #expect(try due(#"{"state":"active","deletedAt":null}"#)?.state == "active")
  }

  @Test("A state that is not text is none, and a deleted mission has nothing to be found by")
  func nothing() throws {
    #expect(try due(#"{"state":["active"]}"#)?.state == nil)
    #expect(History.state([try History.row(0, .delete)]).due == nil)
    #expect(History.state([]).due == nil)
  }
}
