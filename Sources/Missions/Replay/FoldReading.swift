// What a folded record is to its readers. They differ only in what a set `deletedAt` means to them, and in whether the
// stamps stand in the record.

package import Contracts

extension FoldState {
  /// As the resolver reads a record that a grant names: nil when it was deleted, either way. To be asked of a whole
  /// history only: a field that writers called `__fieldMeta` gives way to the stamps when a fold is stored.
  package var record: JSONObject? { hasValue && !isMarkedDeleted ? object(withStamps: false) : nil }

  /// As the runner keeps a mission: a set `deletedAt` stays to be seen, and whoever lists missions passes it over.
  package var mission: JSONObject? { hasValue ? object(withStamps: true) : nil }

  /// As the runner keeps an agent: nil also when `deletedAt` is set.
  package var agent: JSONObject? { hasValue && !isMarkedDeleted ? object(withStamps: true) : nil }

  /// True when the field `deletedAt` holds anything that JavaScript takes for true. An edit can clear it again.
  package var isMarkedDeleted: Bool {
    fields.slots.first { $0.key == Self.deletedAtKey }?.value.isTruthy ?? false
  }

  private var hasValue: Bool { position != nil && !isDeleted }

  func object(withStamps: Bool) -> JSONObject {
    var members: [(JSONString, JSONValue)] = []
    members.reserveCapacity(fields.slots.count + 1)
    for slot in fields.slots where !withStamps || slot.key != Self.stampsKey {
      members.append((slot.key, slot.value))
    }
    if withStamps { members.append((Self.stampsKey, .object(stamps))) }
    return JSONObject(members)
  }

  /// In the order of the fields, then those that wait for theirs. Where writers called a field like the stamps, its
  /// own stamp stands last, because storing takes that field its place: so a fold that was stored reads like one that
  /// never was.
  private var stamps: JSONObject {
    var members: [(JSONString, JSONValue)] = []
    members.reserveCapacity(fields.slots.count)
    var last: (JSONString, JSONValue)?
    for slot in [fields.slots, awaited.slots].joined() {
      guard let stamp = slot.stamp.json else { continue }
      if slot.key == Self.stampsKey { last = (slot.key, stamp) } else { members.append((slot.key, stamp)) }
    }
    if let last { members.append(last) }
    return JSONObject(members)
  }

  static let stampsKey = JSONString("__fieldMeta")
  private static let deletedAtKey = JSONString("deletedAt")
}

extension JSONValue {
  /// False for null, false, the empty text and zero in any spelling; true for all else, empty containers included.
  var isTruthy: Bool {
    switch self {
    case .null: false
    case .bool(let value): value
    case .number(let number): number.double != 0
    case .string(let string): !string.text.isEmpty
    case .array, .object: true
    }
  }
}
