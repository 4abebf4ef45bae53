// The work of a fold is in proportion to what it is given: rows are asked for once, keys are looked at a bounded
// number of times, and a refresh costs what is new. Operations are counted; no clock is asked.

import Contracts
import Missions
import Testing

@Suite("Growth")
struct GrowthTests {
  /// Rows that are made while they are asked for, and counted.
  private struct CountedRows: Sequence, IteratorProtocol {
    let counter: Counter
    let end: Int
    var number: Int
    let fields: Int

    mutating func next() -> ChangeRow? {
      guard number < end else { return nil }
      defer { number += 1 }
      counter.rows += 1
      let members = (0..<fields).map { (JSONString("field\($0)"), JSONValue.number(JSONNumber(number))) }
      return ChangeRow(
        position: ChangePosition(microseconds: Int64(number), id: ChangeID(0)),
        operation: number == 0 ? .insert : .update,
        data: .object(JSONObject(members)), fieldMeta: nil)
    }
  }

  private final class Counter {
    var rows = 0
  }

  private func fold(_ rows: Range<Int>, fields: Int, onto state: FoldState? = nil) throws -> (FoldState, asked: Int) {
    var state = state ?? FoldState(recordID: History.recordID)
    let counter = Counter()
    try state.fold(
      contentsOf: CountedRows(counter: counter, end: rows.upperBound, number: rows.lowerBound, fields: fields))
    return (state, counter.rows)
  }

  @Test("A hundred thousand rows take a hundred times the steps of a thousand, and each row is asked for once")
  func linearInRows() throws {
    let (small, _) = try fold(0..<1_000, fields: 3)
    let (large, asked) = try fold(0..<100_000, fields: 3)
    #expect(asked == 100_000)
    #expect(large.tally.rows == 100_000)
    #expect(small.tally.steps > 1_000)
    #expect(large.tally.steps <= small.tally.steps * 101)
    #expect(large.record?["field2"]?.number?.integer == 99_999)
  }

  @Test("A refresh takes the steps of its new rows, however long the history before it")
  func refreshCostsWhatIsNew() throws {
    var steps: [Int] = []
    for history in [1_000, 50_000] {
      let stored = try History.throughStore(try fold(0..<history, fields: 3).0)
      let (refreshed, asked) = try fold(history..<(history + 10), fields: 3, onto: stored)
      #expect(asked == 10)
      #expect(refreshed.tally.rows == 10)
      steps.append(refreshed.tally.steps)
    }
    #expect(steps[0] == steps[1])
  }

  @Test("Rows of many fields take steps in proportion, also when each row has them in another order")
  func linearInFields() throws {
    func steps(_ fields: Int) throws -> Int {
      var random = SeededGenerator(seed: 7)
      let keys = (0..<fields).map { JSONString("field\($0)") }
      var state = FoldState(recordID: History.recordID)
      for number in 0..<4 {
        let data = JSONObject(keys.shuffled(using: &random).map { ($0, .number(JSONNumber(number))) })
        let stamps = JSONObject(keys.shuffled(using: &random).map { ($0, .string("2026")) })
        try state.fold(
          ChangeRow(
            position: ChangePosition(microseconds: Int64(number), id: ChangeID(0)), operation: .update,
            data: .object(data), fieldMeta: .object(stamps)))
      }
      #expect(state.record?.count == fields + 1)
      return state.tally.steps
    }
    let (few, many) = (try steps(100), try steps(10_000))
    #expect(few >= 4 * 100)
    #expect(many <= few * 101)
  }

  @Test("Stamps that wait for ten thousand fields which never come, or all come, cost no more each than few")
  func linearInWaitingStamps() throws {
    func steps(_ fields: Int) throws -> Int {
      let stamps = JSONObject((0..<fields).map { (JSONString("field\($0)"), .string("2026")) })
      let data = JSONObject((0..<fields).reversed().map { (JSONString("field\($0)"), .bool(true)) })
      let state = History.state([
        ChangeRow(
          position: ChangePosition(microseconds: 0, id: ChangeID(0)), operation: .insert, data: nil,
          fieldMeta: .object(stamps)),
        ChangeRow(
          position: ChangePosition(microseconds: 1, id: ChangeID(0)), operation: .update, data: .object(data),
          fieldMeta: nil),
      ])
      return state.tally.steps
    }
    #expect(try steps(10_000) <= (try steps(100)) * 101)
  }

  @Test("Names that are canonically equal do not share one place in a table of names")
  func namesDoNotCollide() {
    // Four thousand spellings of one text. With String's own hash each would be compared with all others.
    let names = (0..<4_096).map { number in
      JSONString((0..<12).map { number >> $0 & 1 == 0 ? "\u{E9}" : "e\u{301}" }.joined())
    }
    #expect(Set(names.map(\.text)).count == 1)
    #expect(Set(names).count == 4_096)
    #expect(Set(names.map(\.hashValue)).count > 4_000)
  }
}
