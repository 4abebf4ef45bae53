// The two ways in which a record ends: a delete, which is final, and a set `deletedAt`, which an edit can clear.

import Contracts
import Missions
import Testing

@Suite("Deletion")
struct DeletionTests {
  @Test("After a delete there is no record, to any reader")
  func delete() throws {
    let rows = [try History.row(0, .insert, #"{"t":1}"#), try History.row(1, .delete)]
    let state = History.state(rows)
    #expect(state.record == nil)
    #expect(state.mission == nil)
    #expect(state.agent == nil)
    #expect(state.isDeleted)
  }

  @Test("No later row brings a deleted record back: neither an insert nor the client's undo")
  func deleteIsFinal() throws {
    let insert = try History.row(0, .insert, #"{"t":1}"#)
    let delete = try History.row(1, .delete, #"{"deletedAt":"2026-04-15T10:00:01.000Z"}"#)
    let again = try History.row(2, .insert, #"{"t":2}"#, #"{"t":"9999"}"#)
    let undo = try History.row(3, .update, #"{"deletedAt":null}"#, #"{"deletedAt":"9999"}"#)
    #expect(History.mission(insert, delete, again, undo) == nil)
    #expect(History.record(delete, again) == nil)
    #expect(History.state([insert, delete, again, undo]).tally.passedOver == 2)
  }

  @Test("A delete ends the record whatever its data and stamps say")
  func deleteHasNoStamp() throws {
    let insert = try History.row(0, .insert, #"{"t":1,"deletedAt":null}"#, #"{"t":"9","deletedAt":"9"}"#)
    #expect(try History.record(insert, History.row(1, .delete, #"{"deletedAt":null}"#, #"{"deletedAt":"1"}"#)) == nil)
  }

  @Test("A delete that commits late still ends the record, also one that has been stored")
  func lateDelete() throws {
    var state = History.state([try History.row(0, .insert, #"{"t":1}"#), try History.row(5, .update, #"{"t":2}"#)])
    state = try History.throughStore(state)
    try state.fold(History.row(3, .delete))
    #expect(state.isDeleted)
    #expect(state.position == (try History.row(5, .update).position))
  }

  @Test(
    "What JavaScript takes for true in `deletedAt` hides a record and an agent, and is to be seen in a mission",
    arguments: [#""2026""#, #"" ""#, #""0""#, "true", "1", "-1", "0.1", "1e999", "{}", "[]"])
  func marked(value: String) throws {
    let rows = [
      try History.row(0, .insert, #"{"t":1}"#),
      try History.row(1, .update, "{\"deletedAt\":\(value)}", #"{"deletedAt":"2"}"#),
    ]
    let state = History.state(rows)
    #expect(state.isMarkedDeleted)
    #expect(state.record == nil)
    #expect(state.agent == nil)
    #expect(
      History.text(state.mission)
        == "{\"id\":\"r\",\"t\":1,\"deletedAt\":\(value),\"__fieldMeta\":{\"deletedAt\":\"2\"}}")
  }

  @Test(
    "What JavaScript takes for false in `deletedAt` hides nothing",
    arguments: ["null", "\"\"", "false", "0", "-0", "0.0", "0e5", "1e-999"])
  func notMarked(value: String) throws {
    let state = History.state([try History.row(0, .insert, "{\"deletedAt\":\(value)}")])
    #expect(!state.isMarkedDeleted)
    #expect(History.text(state.record) == "{\"id\":\"r\",\"deletedAt\":\(value)}")
    #expect(state.agent != nil)
  }

  @Test("An edit that clears `deletedAt` brings record and agent back with all their fields, also from the store")
  func undo() throws {
    let rows = [
      try History.row(0, .insert, #"{"t":1}"#),
      try History.row(1, .update, #"{"deletedAt":"x"}"#, #"{"deletedAt":"1"}"#),
      try History.row(2, .update, #"{"deletedAt":null}"#, #"{"deletedAt":"2"}"#),
    ]
    #expect(History.text(History.state(rows).record) == #"{"id":"r","t":1,"deletedAt":null}"#)
    #expect(
      History.text(try History.folded(rows, storedBefore: 2).agent)
        == #"{"id":"r","t":1,"deletedAt":null,"__fieldMeta":{"deletedAt":"2"}}"#)
  }

  @Test("Setting `deletedAt` follows the stamps like any field: one that is too old hides nothing")
  func markIsJudged() throws {
    let insert = try History.row(0, .insert, #"{"deletedAt":null}"#, #"{"deletedAt":"5"}"#)
    let stale = try History.row(1, .update, #"{"deletedAt":"x"}"#, #"{"deletedAt":"4"}"#)
    #expect(History.record(insert, stale) == #"{"id":"r","deletedAt":null}"#)
  }
}
