// Which stamp a value is judged by, and how two are compared.

import Contracts
import Missions
import Testing

@Suite("Stamps")
struct StampTests {
  /// The value of `a` after an insert and an update with these stamps.
  private func winner(_ insert: String?, _ update: String?) throws -> String? {
    let rows = [
      try History.row(0, .insert, #"{"a":"insert"}"#, insert.map { "{\"a\":\($0)}" }),
      try History.row(1, .update, #"{"a":"update"}"#, update.map { "{\"a\":\($0)}" }),
    ]
    return History.state(rows).record?["a"]?.text
  }

  @Test("A field that was inserted without a stamp yields to any later update, whatever its clock says")
  func unstampedInsert() throws {
    #expect(try winner(nil, #""1970-01-01T00:00:00.000Z""#) == "update")
    #expect(try winner(nil, "\"\"") == "update")
    #expect(try winner(nil, nil) == "update")
  }

  @Test("A field without a stamp in a later row is stamped with the row's own time")
  func ownTime() throws {
    #expect(try winner(#""2026-04-15T10:00:01.000Z""#, nil) == "update")
    #expect(try winner(#""2026-04-15T10:00:01.001Z""#, nil) == "insert")
  }

  @Test("A row's own time is cut to milliseconds, not rounded")
  func millisecondsAreCut() throws {
    let insert = try History.row(0, .insert, #"{"a":1}"#, #"{"a":"2026-04-15T10:00:00.123Z"}"#)
    let update = try History.row(0.123_999, .update, #"{"a":2}"#)
    #expect(History.mission(insert, update) == #"{"id":"r","a":2,"__fieldMeta":{"a":"2026-04-15T10:00:00.123Z"}}"#)
    let later = try History.row(0, .insert, #"{"a":1}"#, #"{"a":"2026-04-15T10:00:00.124Z"}"#)
    #expect(History.record(later, update) == #"{"id":"r","a":1}"#)
  }

  @Test("An empty stamp is a stamp: it loses to a written one and ties with none")
  func emptyStamp() throws {
    #expect(try winner(#""2026-04-15T10:00:00.000Z""#, "\"\"") == "insert")
    #expect(try winner(nil, "\"\"") == "update")
    #expect(try winner("\"\"", "\"\"") == "update")
  }

  @Test("Stamps in mixed notations are compared as text, not as instants")
  func textOrder() throws {
    #expect(try winner(#""2026-04-15T10:00:00Z""#, #""2026-04-15T10:00:00.999Z""#) == "insert")
    #expect(try winner(#""2026-04-15T12:00:00.000+02:00""#, #""2026-04-15T11:00:00.000Z""#) == "insert")
    #expect(try winner(#""2026-04-15T10:00:00.000Z""#, #""2026-04-15T10:00:00.000999Z""#) == "insert")
    #expect(try winner(#""zzz""#, #""2026-04-15T10:00:01.000Z""#) == "insert")
    #expect(try winner(#""2026-04-15T10:00:00.000Z""#, #""9999""#) == "update")
  }

  @Test("Text is compared by UTF-16 code unit: a surrogate pair stands before U+E000 and behind U+D7FF")
  func utf16Order() throws {
    #expect(try winner("\"\u{E000}\"", "\"\u{1F600}\"") == "insert")
    #expect(try winner("\"\u{1F600}\"", "\"\u{E000}\"") == "update")
    #expect(try winner("\"\u{D7FF}\"", "\"\u{1F600}\"") == "update")
    #expect(try winner("\"e\u{301}\"", "\"\u{E9}\"") == "update")
    #expect(try winner("\"\u{E9}\"", "\"e\u{301}\"") == "insert")
  }

  @Test(
    "A stamp that is not text counts as missing and is counted",
    arguments: ["null", "7", "true", "[\"9\"]", #"{"at":"9"}"#])
  func notText(stamp: String) throws {
    #expect(try winner(stamp, #""1970""#) == "update", "on the insert: no stamp")
    #expect(try winner(#""2026-04-15T10:00:01.001Z""#, stamp) == "insert", "on an update: the row's own time")
    #expect(try winner(#""2026-04-15T10:00:00.999Z""#, stamp) == "update")
    let rows = [
      try History.row(0, .insert, #"{"a":1}"#, "{\"a\":\(stamp),\"other\":\(stamp)}"),
      try History.row(1, .update, #"{"a":1}"#, "{\"a\":\(stamp),\"other\":\(stamp)}"),
    ]
    #expect(History.state(rows).tally.unreadableStamps == 3, "an update's stamps for other fields are not looked at")
  }

  @Test("A null stamp of the first row stays in a snapshot, as in the seeds' own; any other such value does not")
  func nullStampIsCarried() throws {
    #expect(
      try History.mission(History.row(0, .insert, #"{"a":1,"b":1}"#, #"{"a":null,"b":{"at":"9"},"c":null}"#))
        == #"{"id":"r","a":1,"b":1,"__fieldMeta":{"a":null,"c":null}}"#)
  }

  @Test(
    "Stamps that are no object at all are none, and are counted once a row",
    arguments: ["[\"9\"]", "\"9\"", "9", "false"])
  func columnOfAnotherKind(stamps: String) throws {
    let rows = [
      try History.row(0, .insert, #"{"a":1}"#, stamps), try History.row(1, .update, #"{"a":2,"b":2}"#, stamps),
    ]
    #expect(
      History.text(History.state(rows).mission)
        == #"{"id":"r","a":2,"b":2,"__fieldMeta":{"a":"2026-04-15T10:00:01.000Z","b":"2026-04-15T10:00:01.000Z"}}"#)
    #expect(History.state(rows).tally.unreadableStamps == 2)
  }

  @Test("An object for a stamp does not block the field for those who write text after it")
  func objectDoesNotBlock() throws {
    let insert = try History.row(0, .insert, #"{"a":1}"#)
    let odd = try History.row(1, .update, #"{"a":2}"#, #"{"a":{"at":"2026-04-15T10:00:09.000Z"}}"#)
    let update = try History.row(2, .update, #"{"a":3}"#, #"{"a":"2026-04-15T10:00:02.000Z"}"#)
    #expect(History.record(insert, odd, update) == #"{"id":"r","a":3}"#)
  }
}
