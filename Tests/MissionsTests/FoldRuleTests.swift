// The rules of the fold, one promise each: what the first row does, what a later one may, and what never merges.

import Contracts
import Missions
import Testing

@Suite("Fold")
struct FoldRuleTests {
  @Test("No rows are no record, to any reader")
  func nothing() {
    #expect(History.record() == nil)
    #expect(History.mission() == nil)
    #expect(History.agent() == nil)
    #expect(History.state([]).stored == nil)
  }

  @Test("The first row becomes the record, with the record's id before its fields")
  func firstRow() throws {
    let insert = try History.row(0, .insert, #"{"title":"a","n":1}"#, #"{"title":"2026"}"#)
    #expect(History.record(insert) == #"{"id":"r","title":"a","n":1}"#)
    #expect(History.mission(insert) == #"{"id":"r","title":"a","n":1,"__fieldMeta":{"title":"2026"}}"#)
  }

  @Test("An update can be the first row: a record whose beginning is not to be seen still has its later fields")
  func updateFirst() throws {
    #expect(
      try History.record(History.row(1, .update, #"{"title":"u"}"#, #"{"title":"2026"}"#)) == #"{"id":"r","title":"u"}"#
    )
  }

  @Test("SQL NULL, JSON null and an empty object are a first row without fields", arguments: [nil, "null", "{}"])
  func firstRowWithoutData(data: String?) throws {
    #expect(try History.record(History.row(0, .insert, data)) == #"{"id":"r"}"#)
  }

  @Test("A newer stamp wins, also over a row that arrived later")
  func newerStampWins() throws {
    let insert = try History.row(0, .insert, #"{"t":"a"}"#, #"{"t":"2026-04-15T10:00:05.000Z"}"#)
    let newer = try History.row(1, .update, #"{"t":"b"}"#, #"{"t":"2026-04-15T10:00:06.000Z"}"#)
    let older = try History.row(2, .update, #"{"t":"c"}"#, #"{"t":"2026-04-15T10:00:05.999Z"}"#)
    #expect(History.record(insert, newer) == #"{"id":"r","t":"b"}"#)
    #expect(History.record(insert, newer, older) == #"{"id":"r","t":"b"}"#)
  }

  @Test("Of equal stamps the later row wins")
  func tie() throws {
    let first = try History.row(0, .insert, #"{"t":"a"}"#, #"{"t":"2026"}"#)
    let second = try History.row(1, .update, #"{"t":"b"}"#, #"{"t":"2026"}"#)
    #expect(History.record(first, second) == #"{"id":"r","t":"b"}"#)
  }

  @Test("A field that loses does not hold back its neighbours in the same row")
  func fieldsAreJudgedOneByOne() throws {
    let insert = try History.row(0, .insert, #"{"a":1,"b":1}"#, #"{"a":"9","b":"1"}"#)
    let update = try History.row(1, .update, #"{"a":2,"b":2,"c":2}"#, #"{"a":"2","b":"2","c":"2"}"#)
    #expect(History.mission(insert, update) == #"{"id":"r","a":1,"b":2,"c":2,"__fieldMeta":{"a":"9","b":"2","c":"2"}}"#)
  }

  @Test("A later row without data is passed by, its stamps too", arguments: [nil, "null", "{}"])
  func laterRowWithoutData(data: String?) throws {
    let insert = try History.row(0, .insert, #"{"t":"a"}"#, #"{"t":"2"}"#)
    let empty = try History.row(1, .update, data, #"{"t":"9"}"#)
    let update = try History.row(2, .update, #"{"t":"c"}"#, #"{"t":"3"}"#)
    #expect(History.mission(insert, empty, update) == #"{"id":"r","t":"c","__fieldMeta":{"t":"3"}}"#)
  }

  @Test("Stamps of a later row for fields that it does not write are not kept")
  func strayStampsOfUpdates() throws {
    let insert = try History.row(0, .insert, #"{"t":"a"}"#, #"{"t":"1"}"#)
    let stray = try History.row(1, .update, #"{"n":1}"#, #"{"n":"2","t":"9"}"#)
    let update = try History.row(2, .update, #"{"t":"b"}"#, #"{"t":"3"}"#)
    #expect(History.record(insert, stray, update) == #"{"id":"r","t":"b","n":1}"#)
  }

  @Test("A stamp of the first row waits for a field that has no value yet, and refuses what is older")
  func waitingStamp() throws {
    let insert = try History.row(0, .insert, #"{"t":"a"}"#, #"{"ghost":"5","t":"1"}"#)
    let older = try History.row(1, .update, #"{"ghost":"o"}"#, #"{"ghost":"4"}"#)
    let newer = try History.row(2, .update, #"{"n":0,"ghost":"g"}"#, #"{"n":"1","ghost":"6"}"#)
    #expect(History.mission(insert, older) == #"{"id":"r","t":"a","__fieldMeta":{"t":"1","ghost":"5"}}"#)
    #expect(
      History.mission(insert, older, newer)
        == #"{"id":"r","t":"a","n":0,"ghost":"g","__fieldMeta":{"t":"1","n":"1","ghost":"6"}}"#)
    #expect(History.record(insert, older, newer, older) == #"{"id":"r","t":"a","n":0,"ghost":"g"}"#)
  }

  @Test("Null is a value: it clears a field and stays in the record")
  func nullClears() throws {
    let insert = try History.row(0, .insert, #"{"grant":{"a":1}}"#)
    let clear = try History.row(1, .update, #"{"grant":null}"#, #"{"grant":"2026"}"#)
    #expect(History.record(insert, clear) == #"{"id":"r","grant":null}"#)
  }

  @Test("A nested value is replaced whole, and a key with a dot is a key like any other")
  func nestedValues() throws {
    let insert = try History.row(0, .insert, #"{"target":{"value":1,"unit":"kg"}}"#, #"{"target.value":"9"}"#)
    let update = try History.row(1, .update, #"{"target":{"value":2},"target.value":3}"#, #"{"target":"1"}"#)
    #expect(History.record(insert, update) == #"{"id":"r","target":{"value":2}}"#)
  }

  @Test("Data may bring an id of its own; the fold still knows whose rows these are")
  func ownID() throws {
    let insert = try History.row(0, .insert, #"{"t":1,"id":"other"}"#)
    let update = try History.row(1, .update, #"{"id":null}"#)
    #expect(History.record(insert) == #"{"id":"other","t":1}"#)
    #expect(History.record(insert, update) == #"{"id":null,"t":1}"#)
    #expect(History.state([insert, update]).recordID == History.recordID)
  }

  @Test("Canonically equal names are two fields")
  func namesAreBytes() throws {
    let insert = try History.row(0, .insert, "{\"\u{E9}\":1}", "{\"\u{E9}\":\"9\"}")
    let update = try History.row(1, .update, "{\"e\u{301}\":2}", "{\"e\u{301}\":\"1\"}")
    #expect(History.record(insert, update) == "{\"id\":\"r\",\"\u{E9}\":1,\"e\u{301}\":2}")
  }

  @Test(
    "Names that mean something to JavaScript, and the empty one, are names",
    arguments: [
      "constructor", "toString", "hasOwnProperty", "valueOf", "__proto__", "",
    ])
  func prototypeNames(name: String) throws {
    let insert = try History.row(0, .insert, "{\"\(name)\":\"a\"}")
    let update = try History.row(1, .update, "{\"\(name)\":\"b\"}")
    let last = try History.row(2, .update, "{\"\(name)\":\"c\"}", "{\"\(name)\":\"2026-04-15T10:00:02.000Z\"}")
    #expect(
      History.mission(insert, update, last)
        == "{\"id\":\"r\",\"\(name)\":\"c\",\"__fieldMeta\":{\"\(name)\":\"2026-04-15T10:00:02.000Z\"}}")
  }

  @Test("Keys that look like array indices stand first, in the order of numbers, as in JavaScript")
  func integerKeys() throws {
    let insert = try History.row(0, .insert, #"{"b":1,"10":2}"#)
    let update = try History.row(1, .update, #"{"9":3,"010":4}"#)
    #expect(History.record(insert, update) == #"{"9":3,"10":2,"id":"r","b":1,"010":4}"#)
  }

  @Test("A number keeps the spelling it was written with")
  func numbers() throws {
    #expect(
      try History.record(History.row(0, .insert, #"{"n":1.0,"big":12345678901234567890,"e":1E2}"#))
        == #"{"id":"r","n":1.0,"big":12345678901234567890,"e":1E2}"#)
  }

  @Test("Data that is no object is no data, in any row, and is counted", arguments: ["[1]", "\"text\"", "7", "true"])
  func dataOfAnotherKind(data: String) throws {
    let odd = try History.row(0, .insert, data)
    let update = try History.row(1, .update, #"{"t":1}"#)
    let again = try History.row(2, .update, data, #"{"t":"9"}"#)
    let state = History.state([odd, update, again])
    #expect(History.text(state.record) == #"{"id":"r","t":1}"#)
    #expect(state.tally.unreadableData == 2)
  }

  @Test(
    "The operation's name only matters where it is exactly `delete`", arguments: ["upsert", "DELETE", "Delete", ""])
  func unknownOperations(name: String) {
    #expect(ChangeRow.Operation(column: name) == .update)
    #expect(ChangeRow.Operation(column: "insert") == .insert)
    #expect(ChangeRow.Operation(column: "delete") == .delete)
  }
}
