// A fold that is stored and resumed is the fold that was never interrupted.

import Contracts
import Missions
import Testing

@Suite("Stored folds")
struct StoredFoldTests {
  @Test("Random histories fold alike in one go, by the plain rules, and split anywhere", arguments: 0..<300)
  func splitAnywhere(seed: UInt64) throws {
    let rows = try RandomHistory.rows(seed: seed)
    let whole = History.state(rows)
    #expect(NaiveFold(rows).agrees(with: whole))
    for split in 0...rows.count {
      let resumed = try History.folded(rows, storedBefore: split)
      #expect(History.text(resumed.mission) == History.text(whole.mission))
      #expect(History.text(resumed.agent) == History.text(whole.agent))
      #expect(resumed.isDeleted == whole.isDeleted)
      #expect(resumed.position == whole.position)
      #expect(resumed.isMarkedDeleted == whole.isMarkedDeleted)
    }
  }

  @Test("The random histories hold what they are meant to try")
  func generatorIsNotPoor() throws {
    var (alive, deleted, marked, empty, unreadable) = (0, 0, 0, 0, 0)
    for seed in 0..<300 {
      let state = History.state(try RandomHistory.rows(seed: UInt64(seed)))
      alive += state.record == nil ? 0 : 1
      deleted += state.isDeleted ? 1 : 0
      marked += state.isMarkedDeleted ? 1 : 0
      empty += state.position == nil ? 1 : 0
      unreadable += state.tally.unreadableStamps > 0 && state.tally.unreadableData > 0 ? 1 : 0
    }
    #expect(min(alive, deleted, marked, empty, unreadable) > 10)
  }

  @Test("Stored after every single row, a history ends where it would have ended", arguments: 0..<100)
  func storedAfterEachRow(seed: UInt64) throws {
    let rows = try RandomHistory.rows(seed: seed)
    var state = FoldState(recordID: History.recordID)
    for row in rows {
      try state.fold(row)
      state = try History.throughStore(state)
      try state.fold(row)  // The last row read again, as a refresh with an overlap would.
    }
    #expect(History.text(state.mission) == History.text(History.state(rows).mission))
  }

  @Test("Storing keeps members in their order, stamps behind them")
  func storedForm() throws {
    let state = History.state([
      try History.row(0, .insert, #"{"t":"a","7":1}"#, #"{"t":"1","ghost":"5"}"#),
      try History.row(1, .update, #"{"n":2}"#, #"{"n":"3"}"#),
    ])
    let stored = try #require(state.stored)
    #expect(
      History.text(stored.record) == #"{"7":1,"id":"r","t":"a","n":2,"__fieldMeta":{"t":"1","n":"3","ghost":"5"}}"#)
    #expect(stored.position == (try History.row(1, .update).position))
  }

  @Test("A paused mission stays paused, whether its insert is read once or again")
  func pausedStaysPaused() throws {
    // The insert has no stamps; the pause was stamped by a device whose clock is three seconds behind. A refresh that
    // reads the insert again and takes it for a later row would set the mission going.
    let insert = try History.row(5, .insert, #"{"state":"active"}"#, "{}")
    let pause = try History.row(6, .update, #"{"state":"paused"}"#, #"{"state":"2026-04-15T10:00:02.000Z"}"#)
    var refreshed = try History.throughStore(History.state([insert]))
    try refreshed.fold(contentsOf: [insert, pause])
    refreshed = try History.throughStore(refreshed)
    try refreshed.fold(pause)
    #expect(throws: MissionsProblem.rowBeforePosition) { try refreshed.fold(insert) }
    #expect(refreshed.mission?["state"]?.text == "paused")
    #expect(History.text(refreshed.mission) == History.mission(insert, pause))
  }

  @Test("A deleted record is stored as such: its history need not be read again, and it stays deleted")
  func tombstone() throws {
    let state = History.state([try History.row(0, .insert, #"{"t":1}"#), try History.row(1, .delete)])
    #expect(History.text(state.stored?.record) == #"{"__fieldMeta":"deleted"}"#)
    var resumed = try History.throughStore(state)
    try resumed.fold(History.row(2, .insert, #"{"t":2}"#))
    #expect(resumed.isDeleted)
    #expect(resumed.mission == nil)
    #expect(History.text(resumed.stored?.record) == #"{"__fieldMeta":"deleted"}"#)
    #expect(resumed.stored?.position == (try History.row(2, .insert).position))
  }

  @Test("A writer cannot feign the mark of a deleted record, nor stamps, by a field of that name")
  func forgedStamps() throws {
    for forged in [#""deleted""#, #"{"t":"9999"}"#, "null"] {
      let rows = [
        try History.row(0, .insert, "{\"t\":1,\"__fieldMeta\":\(forged)}", #"{"t":"1"}"#),
        try History.row(1, .update, #"{"t":2}"#, #"{"t":"2"}"#),
      ]
      for split in 0...2 {
        let state = try History.folded(rows, storedBefore: split)
        #expect(!state.isDeleted)
        #expect(History.text(state.mission) == #"{"id":"r","t":2,"__fieldMeta":{"t":"2"}}"#)
      }
    }
  }

  @Test("A field called `__fieldMeta` is data to the resolver; in a snapshot its value gives way and its stamp stays")
  func fieldCalledLikeTheStamps() throws {
    let rows = [
      try History.row(0, .insert, #"{"t":"a"}"#, #"{"t":"1"}"#),
      try History.row(1, .update, #"{"__fieldMeta":{"t":"9"},"t":"b"}"#, #"{"t":"2"}"#),
      try History.row(2, .update, #"{"t":"c"}"#, #"{"t":"3"}"#),
    ]
    #expect(History.text(History.state(rows).record) == #"{"id":"r","t":"c","__fieldMeta":{"t":"9"}}"#)
    for split in 0...3 {
      #expect(
        History.text(try History.folded(rows, storedBefore: split).mission)
          == #"{"id":"r","t":"c","__fieldMeta":{"t":"3","__fieldMeta":"2026-04-15T10:00:01.000Z"}}"#)
    }
  }

  @Test(
    "What carries no stamps cannot be resumed",
    arguments: [
      "{}", #"{"id":"r","t":1}"#, #"{"__fieldMeta":null}"#, #"{"__fieldMeta":"gone"}"#, #"{"__fieldMeta":[]}"#,
      #"{"__fieldMeta":true}"#, #"{"__fieldmeta":{}}"#,
    ])
  func notAStoredFold(record: String) throws {
    let object = try #require(try JSONValue(parsing: record).object)
    #expect(throws: MissionsProblem.notAStoredFold) {
      try FoldState(
        recordID: History.recordID, resuming: object, at: ChangePosition(microseconds: 0, id: ChangeID(0)))
    }
  }
}
