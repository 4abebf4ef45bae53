// An object's members in JavaScript's order: integer-like keys ascending, then the others as they came.

package struct JSONObject: Hashable, Sendable {
  package struct Member: Hashable, Sendable {
    package let key: JSONString
    package fileprivate(set) var value: JSONValue
  }

  package private(set) var members: [Member] = []

  package var count: Int { members.count }

  package init() {}

  /// A repeated key keeps its first position and takes its last value.
  package init(_ pairs: [(JSONString, JSONValue)]) {
    members.reserveCapacity(pairs.count)
    // Few keys are quicker searched than hashed.
    var positions: [JSONString: Int]? = pairs.count > 8 ? [:] : nil
    for (key, value) in pairs {
      if let position = positions == nil ? members.firstIndex(where: { $0.key == key }) : positions?[key] {
        members[position].value = value
      } else {
        positions?[key] = members.count
        members.append(Member(key: key, value: value))
      }
    }
    guard members.contains(where: { Self.arrayIndex($0.key) != nil }) else { return }
    let numbered = members.compactMap { member in Self.arrayIndex(member.key).map { ($0, member) } }
    let named = members.filter { Self.arrayIndex($0.key) == nil }
    members = numbered.sorted { $0.0 < $1.0 }.map(\.1) + named
  }

  package init(members pairs: [(String, JSONValue)]) {
    self.init(pairs.map { (JSONString($0.0), $0.1) })
  }

  package subscript(key: String) -> JSONValue? {
    let wanted = JSONString(key)
    return members.first { $0.key == wanted }?.value
  }

  /// Puts `value` under `key`, where it stands or at the end.
  package mutating func set(_ key: String, _ value: JSONValue) {
    let wanted = JSONString(key)
    if let position = members.firstIndex(where: { $0.key == wanted }) {
      members[position].value = value
    } else {
      self = JSONObject(members.map { ($0.key, $0.value) } + [(wanted, value)])
    }
  }

  /// ECMAScript's array index: a canonical decimal below 2^32 - 1.
  static func arrayIndex(_ key: JSONString) -> UInt32? {
    guard let first = key.text.utf8.first, (0x30...0x39).contains(first), let index = UInt32(key.text),
      index < UInt32.max, String(index) == key.text
    else { return nil }
    return index
  }
}
