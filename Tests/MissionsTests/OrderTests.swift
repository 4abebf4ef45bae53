// The order of rows: by time to the microsecond, then by id. What comes twice, out of order or too late.

import Contracts
import Missions
import Testing

@Suite("Order of rows")
struct OrderTests {
  @Test("Rows of one instant are folded by id, in whatever order they were read")
  func permutations() throws {
    let rows = [
      try History.row(1, .insert, #"{"t":"a"}"#, #"{"t":"1"}"#, id: 1),
      try History.row(1, .update, #"{"t":"b"}"#, #"{"t":"1"}"#, id: 2),
      try History.row(1, .update, #"{"t":"c","n":1}"#, #"{"t":"1"}"#, id: 3),
      try History.row(1, .update, #"{"n":2}"#, nil, id: 1 << 100),
    ]
    var seen = 0
    for permutation in permutations(of: rows) {
      seen += 1
      #expect(
        History.text(Replay.mission(id: History.recordID, rows: permutation))
          == #"{"id":"r","t":"c","n":2,"__fieldMeta":{"t":"1","n":"2026-04-15T10:00:01.000Z"}}"#)
    }
    #expect(seen == 24)
  }

  @Test("Random histories come out the same however they are shuffled", arguments: 0..<200)
  func shuffled(seed: UInt64) throws {
    let rows = try RandomHistory.rows(seed: seed)
    var random = SeededGenerator(seed: seed)
    let expected = History.text(History.state(rows).mission)
    for _ in 0..<5 { #expect(History.text(History.state(rows.shuffled(using: &random)).mission) == expected) }
  }

  @Test("Microseconds decide where milliseconds are equal")
  func microseconds() throws {
    let early = try History.row(0.000_001, .insert, #"{"t":"early"}"#, #"{"t":"1"}"#, id: 9)
    let late = try History.row(0.000_002, .update, #"{"t":"late"}"#, #"{"t":"1"}"#, id: 1)
    #expect(History.record(late, early) == #"{"id":"r","t":"late"}"#)
  }

  @Test("The row that was folded last may come again, any number of times, and changes nothing")
  func repeatedRow() throws {
    let insert = try History.row(5, .insert, #"{"state":"active"}"#)
    var state = History.state([insert])
    try state.fold(contentsOf: [insert, insert])
    #expect(History.text(state.mission) == #"{"id":"r","state":"active","__fieldMeta":{}}"#)
    #expect(state.tally.rows == 1)
    #expect(state.tally.passedOver == 2)
  }

  @Test("A row that belongs before the last one is refused, and the state stays as it was")
  func lateRow() throws {
    var state = History.state([
      try History.row(0, .insert, #"{"t":"a"}"#, nil, id: 5), try History.row(2, .update, #"{"t":"b"}"#, nil, id: 5),
    ])
    let before = (History.text(state.mission), state.position, state.tally)
    for late in [
      try History.row(1, .update, #"{"t":"x"}"#, nil, id: 9), try History.row(2, .update, #"{"t":"x"}"#, nil, id: 4),
    ] {
      #expect(throws: MissionsProblem.rowBeforePosition) { try state.fold(late) }
      #expect((History.text(state.mission), state.position, state.tally) == before)
    }
  }

  @Test("After a delete, rows in any order are passed over")
  func afterDelete() throws {
    var state = History.state([try History.row(5, .delete)])
    try state.fold(History.row(3, .update, #"{"t":1}"#))
    try state.fold(History.row(9, .update, #"{"t":1}"#))
    #expect(state.isDeleted)
    #expect(state.position == (try History.row(9, .delete).position))
    #expect(state.tally.rows == 1)
    #expect(state.tally.passedOver == 2)
  }

  private func permutations(of rows: [ChangeRow]) -> [[ChangeRow]] {
    guard let first = rows.first else { return [[]] }
    return permutations(of: Array(rows.dropFirst())).flatMap { rest in
      (0...rest.count).map { Array(rest[..<$0]) + [first] + Array(rest[$0...]) }
    }
  }
}

@Suite("Positions")
struct PositionTests {
  @Test("Ids are ordered by their bytes and read from either form")
  func ids() throws {
    let text = "0552bdc5-6b71-4b56-a73c-eecebc075903"
    let id = try #require(ChangeID(text: text))
    #expect(ChangeID(text: text.uppercased()) == id)
    #expect(ChangeID(bytes: id.bytes) == id)
    #expect(Hex.encode(id.bytes) == text.filter { $0 != "-" })
    #expect(ChangeID(0) < ChangeID(1) && ChangeID(1) < ChangeID(1 << 64))
    #expect(
      try #require(ChangeID(text: "7fffffff-0000-0000-0000-000000000000"))
        < (try #require(ChangeID(text: "80000000-0000-0000-0000-000000000000"))))
  }

  @Test(
    "What is not a UUID is no id",
    arguments: [
      "", "0552bdc56b714b56a73ceecebc075903", "0552bdc5-6b71-4b56-a73c-eecebc07590",
      "0552bdc5-6b71-4b56-a73c-eecebc0759033",
      "+552bdc5-6b71-4b56-a73c-eecebc075903", "0552bdc5-6b71-4b56-a73c-eecebc07590g",
      "{552bdc5-6b71-4b56-a73c-eecebc07590}",
      "0552bdc56-b71-4b56-a73c-eecebc075903",
    ])
  func notAnID(text: String) { #expect(ChangeID(text: text) == nil) }

  @Test("Only sixteen bytes are an id", arguments: [0, 15, 17])
  func wrongLength(count: Int) { #expect(ChangeID(bytes: [UInt8](repeating: 1, count: count)) == nil) }

  @Test(
    "A time that the ISO form cannot spell is stamped with the nearest that it can",
    arguments: [
      (Int64.min, "0000-01-01T00:00:00.000Z"), (Int64.max, "9999-12-31T23:59:59.999Z"),
      (-1, "1969-12-31T23:59:59.999Z"), (-1_000, "1969-12-31T23:59:59.999Z"), (-1_001, "1969-12-31T23:59:59.998Z"),
      (0, "1970-01-01T00:00:00.000Z"), (999, "1970-01-01T00:00:00.000Z"), (1_000, "1970-01-01T00:00:00.001Z"),
    ])
  func ownTime(microseconds: Int64, iso: String) throws {
    let rows = [
      ChangeRow(
        position: ChangePosition(microseconds: microseconds, id: ChangeID(1)), operation: .insert, data: nil,
        fieldMeta: nil),
      ChangeRow(
        position: ChangePosition(microseconds: microseconds, id: ChangeID(2)), operation: .update,
        data: try JSONValue(parsing: #"{"a":1}"#), fieldMeta: nil),
    ]
    #expect(History.text(History.state(rows).mission) == "{\"id\":\"r\",\"a\":1,\"__fieldMeta\":{\"a\":\"\(iso)\"}}")
  }
}
