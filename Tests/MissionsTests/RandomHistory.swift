// Histories made at random from a seed, so that a failure can be made again.

import Contracts
import Missions

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

struct RandomHistory {
  private static let keys = [
    "title", "done", "deletedAt", "id", "7", "12", "é", "e\u{301}", "", "__fieldMeta", "constructor", "__proto__", "🎯",
  ]
  private static let values = [
    "null", "true", "false", "0", "-0.0", "1e2", "\"\"", "\"a\"", "[]", "{\"a\":{\"b\":[1,null]}}", "\"enc:1:A.B\"",
  ]
  private static let stamps = [
    "\"2026-04-15T10:00:00.000Z\"", "\"2026-04-15T10:00:01.000Z\"", "\"2026-04-15T10:00:02.000Z\"",
    "\"2026-04-15T10:00:02Z\"", "\"2026-04-15T12:00:01.000+02:00\"", "\"\"", "\"zzz\"", "\"\u{FFFD}\"", "\"😀\"",
    "null", "7", "{\"at\":\"2026\"}",
  ]

  /// Rows in order. Neighbours often share their time, and some their millisecond.
  static func rows(seed: UInt64) throws -> [ChangeRow] {
    var random = SeededGenerator(seed: seed)
    var seconds = 0.0
    var rows: [ChangeRow] = []
    for number in 0..<Int.random(in: 0...12, using: &random) {
      seconds += [0, 0, 0.000_001, 0.000_4, 0.001, 1].randomElement(using: &random) ?? 0
      let isDelete = Int.random(in: 0..<30, using: &random) == 0
      rows.append(
        try History.row(
          seconds, isDelete ? .delete : number == 0 ? .insert : .update,
          Int.random(in: 0..<8, using: &random) == 0
            ? ["null", "[1]", "\"text\""].randomElement(using: &random)
            : object(of: values, &random),
          Int.random(in: 0..<5, using: &random) == 0 ? nil : object(of: stamps, &random), id: UInt128(number)))
    }
    return rows
  }

  private static func object(of choices: [String], _ random: inout SeededGenerator) -> String {
    let chosen = keys.shuffled(using: &random).prefix(Int.random(in: 0...keys.count, using: &random))
    let members = chosen.map { "\"\($0)\":" + (choices.randomElement(using: &random) ?? "null") }
    return "{" + members.joined(separator: ",") + "}"
  }
}
