// The readers of the binary format, given what no server of ours sends.

import Testing

@testable import Postgres

@Suite struct DecodingTests {
  private func decode<Value: PostgresDecodable>(_ bytes: [UInt8], _ type: UInt32, as: Value.Type) -> Value? {
    Value.decode(bytes.span, type: type)
  }

  private func words(_ numbers: [Int32]) -> [UInt8] {
    var bytes: [UInt8] = []
    for number in numbers { BinaryFormat.append(number, to: &bytes) }
    return bytes
  }

  @Test("A value of another length than its type's is not a value")
  func lengths() {
    for length in [0, 1, 2, 3, 5, 7, 9, 16] {
      let bytes = [UInt8](repeating: 1, count: length)
      #expect((decode(bytes, PostgresType.bool.rawValue, as: Bool.self) != nil) == (length == 1))
      #expect((decode(bytes, PostgresType.int4.rawValue, as: Int32.self) != nil) == (length == 4))
      #expect((decode(bytes, PostgresType.int8.rawValue, as: Int64.self) != nil) == (length == 8))
      #expect((decode(bytes, PostgresType.timestamptz.rawValue, as: PostgresTimestamp.self) != nil) == (length == 8))
      #expect((decode(bytes, PostgresType.uuid.rawValue, as: String.self) != nil) == (length == 16))
    }
    #expect(decode([2], PostgresType.bool.rawValue, as: Bool.self) == nil)
    #expect(decode([0xFF, 0xFE], PostgresType.text.rawValue, as: String.self) == nil, "not UTF-8")
    #expect(decode([2, 0x7B], PostgresType.jsonb.rawValue, as: String.self) == nil, "another version of jsonb")
    #expect(decode([], PostgresType.jsonb.rawValue, as: String.self) == nil)
  }

  @Test("An array whose header or lengths are wrong is refused, however they are wrong")
  func arrays() {
    let int8 = Int32(PostgresType.int8.rawValue)
    let bad: [[Int32]] = [
      [], [1], [0, 0], [1, 0, int8], [1, 0, int8, 1], [1, 0, int8, 1, 1], [2, 0, int8, 1, 1, 1, 1],
      [-1, 0, int8, 0, 1], [1, 0, int8, -1, 1], [1, 0, int8, .max, 1], [1, 0, int8, 1, 1, 8], [1, 0, int8, 1, 1, 8, 0],
      [1, 0, int8, 1, 1, .max, 0, 0], [1, 0, int8, 1, 1, -2], [1, 0, int8, 1, 1, 4, 0], [0, 0, int8, 0],
      [1, 0, int8, 1, 1, 8, 0, 7, 0], [1, 0, 25, 1, 1, 8, 0, 7], [1, 0, int8, 1, 1, -1],
    ]
    for header in bad {
      #expect(decode(words(header), PostgresType.int8Array.rawValue, as: [Int64].self) == nil, "\(header)")
    }
    #expect(decode(words([0, 0, int8]), PostgresType.int8Array.rawValue, as: [Int64].self) == [])
    #expect(decode(words([1, 0, int8, 1, 1, 8, 0, 7]), PostgresType.int8Array.rawValue, as: [Int64].self) == [7])
    #expect(decode(words([1, 1, int8, 1, 1, -1]), PostgresType.int8Array.rawValue, as: [Int64?].self) == [nil])
  }

  @Test("Every cut and every changed byte of an array is read without a trap")
  func noise() {
    var bytes: [UInt8] = []
    BinaryFormat.append(.textArray(["one", nil, "", "four"]), to: &bytes)
    #expect(decode(bytes, PostgresType.textArray.rawValue, as: [String?].self) == ["one", nil, "", "four"])
    var refused = 0
    for length in 0..<bytes.count {
      if decode(Array(bytes[..<length]), PostgresType.textArray.rawValue, as: [String?].self) == nil { refused += 1 }
    }
    #expect(refused == bytes.count, "a cut array was read")
    var read = 0
    for position in bytes.indices {
      for value in UInt8.min...UInt8.max {
        var changed = bytes
        changed[position] = value
        if decode(changed, PostgresType.textArray.rawValue, as: [String?].self) != nil { read += 1 }
      }
    }
    #expect(read > bytes.count && read < bytes.count * 256)
  }

  @Test("Deadlines round up, never down, and never overflow")
  func deadlines() {
    let start = Deadline(nanoseconds: 1_000)
    #expect(start.milliseconds(from: start) == 0)
    #expect(Deadline(nanoseconds: 1_001).milliseconds(from: start) == 1)
    #expect(Deadline(nanoseconds: 1_001_000).milliseconds(from: start) == 1)
    #expect(Deadline(nanoseconds: 1_001_001).milliseconds(from: start) == 2)
    #expect(Deadline.never.milliseconds(from: start) == -1)
    #expect(start.adding(.seconds(Int64.max)) == .never)
    #expect(start.adding(.seconds(9_223_372_036) + .nanoseconds(999_999_999)) == .never)
    #expect(start.adding(.milliseconds(-1)) < start)
  }
}
