// Finding a field by its key. Writers send the same fields in the same order again and again, so the place behind the
// last hit is tried first. A short list is then searched; a long one is hashed, because a row with ten thousand keys
// must not cost ten thousand squared.

import Contracts

protocol Keyed {
  var key: JSONString { get }
}

extension JSONObject.Member: Keyed {}

struct KeyIndex: Sendable {
  /// Up to here a search is as quick as a hash, and needs no memory.
  static let longestSearch = 8

  /// Empty as long as the list is short.
  private var places: [JSONString: Int] = [:]

  init() {}

  init(of list: [some Keyed]) {
    guard list.count > Self.longestSearch else { return }
    places.reserveCapacity(list.count)
    for (place, element) in list.enumerated() { places[element.key] = place }
  }

  /// To be told after each element that is put at the end of the list.
  mutating func didAppend(to list: [some Keyed]) {
    if places.isEmpty {
      self = KeyIndex(of: list)
    } else if let last = list.last {
      places[last.key] = list.count - 1
    }
  }

  func place(of key: JSONString, in list: [some Keyed], after hit: inout Int, steps: inout Int) -> Int? {
    guard !list.isEmpty else { return nil }
    let next = hit + 1 < list.count ? hit + 1 : 0
    steps += 1
    if list[next].key == key {
      hit = next
      return next
    }
    let found: Int?
    if places.isEmpty {
      found = list.firstIndex { $0.key == key }
      steps += found.map { $0 + 1 } ?? list.count
    } else {
      found = places[key]
      steps += 1
    }
    if let found { hit = found }
    return found
  }
}
