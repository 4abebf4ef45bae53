// The fields of a record while it is folded, in the order in which they came, each with the stamp it was won with.

import Contracts

/// What a field's value was won with.
enum FieldStamp: Sendable {
  /// None: any value that comes later wins.
  case none
  /// Spelled as JSON null. It counts as none, but the seeds' snapshots carry it, so ours do.
  case null
  case text(JSONString)

  /// A later row wins a tie. Stamps are compared as text, by UTF-16 code unit.
  func yields(to stamp: JSONString) -> Bool {
    switch self {
    case .none, .null: true
    case .text(let own): !precedesInUTF16(stamp.text, own.text)
    }
  }

  var json: JSONValue? {
    switch self {
    case .none: nil
    case .null: .null
    case .text(let text): .string(text)
    }
  }
}

struct FieldTable: Sendable {
  struct Slot: Keyed, Sendable {
    let key: JSONString
    var value: JSONValue
    var stamp: FieldStamp
  }

  private(set) var slots: [Slot] = []
  private var index = KeyIndex()
  private var lastHit = -1

  mutating func reserve(_ count: Int) { slots.reserveCapacity(count) }

  mutating func place(of key: JSONString, steps: inout Int) -> Int? {
    index.place(of: key, in: slots, after: &lastHit, steps: &steps)
  }

  mutating func append(_ key: JSONString, _ value: JSONValue, _ stamp: FieldStamp) {
    slots.append(Slot(key: key, value: value, stamp: stamp))
    index.didAppend(to: slots)
    lastHit = slots.count - 1
  }

  func stamp(at place: Int) -> FieldStamp { slots[place].stamp }

  mutating func setStamp(_ stamp: FieldStamp, at place: Int) { slots[place].stamp = stamp }

  mutating func set(_ value: JSONValue, at place: Int) { slots[place].value = value }
}
