// An object's members in JavaScript's order: keys like integers first, ascending, then the others as they came; of two
// equal keys the first one's place and the last one's value. The keys may be plaintext, so they are compared where they
// lie; what is kept of them is their places and a hash with a seed of this process.

import Contracts

struct MemberOrder {
  /// Indices of nodes.
  struct Member {
    let key: Int
    var value: Int
  }

  private(set) var members: [Member] = []

  init(_ tape: JSONTape, _ object: Int, _ text: Span<UInt8>) {
    // Whoever wrote the record chose the keys: without hashes, many of them would cost their square.
    var places: [Int: [Int]] = [:]
    for key in tape.children(of: object) {
      let hash = Self.hash(tape, key, text)
      let known = places[hash]?.first { Self.areEqual(tape, members[$0].key, key, text) }
      if let known {
        members[known].value = key + 1
      } else {
        places[hash, default: []].append(members.count)
        members.append(Member(key: key, value: key + 1))
      }
    }
    guard members.contains(where: { Self.arrayIndex(tape, $0.key, text) != nil }) else { return }
    var numbered: [Member] = []
    var named: [Member] = []
    for member in members {
      if Self.arrayIndex(tape, member.key, text) == nil { named.append(member) } else { numbered.append(member) }
    }
    numbered.sort { left, right in
      (Self.arrayIndex(tape, left.key, text) ?? 0) < (Self.arrayIndex(tape, right.key, text) ?? 0)
    }
    members = numbered + named
  }

  private static func hash(_ tape: JSONTape, _ key: Int, _ text: Span<UInt8>) -> Int {
    var hasher = Hasher()
    tape.eachScalar(of: key, in: text) { scalar, _ in
      hasher.combine(scalar.value)
      return true
    }
    return hasher.finalize()
  }

  /// As texts, so that an escape equals the character it stands for.
  private static func areEqual(_ tape: JSONTape, _ left: Int, _ right: Int, _ text: Span<UInt8>) -> Bool {
    let (one, other) = (tape.nodes[left], tape.nodes[right])
    var (here, there) = (Int(one.start), Int(other.start))
    while here < Int(one.end), there < Int(other.end) {
      let (mine, theirs) = (JSONTape.scalar(text, at: here), JSONTape.scalar(text, at: there))
      guard mine.scalar == theirs.scalar else { return false }
      here += mine.length
      there += theirs.length
    }
    return here == Int(one.end) && there == Int(other.end)
  }

  /// ECMAScript's array index: a canonical decimal below 2^32 - 1.
  private static func arrayIndex(_ tape: JSONTape, _ key: Int, _ text: Span<UInt8>) -> UInt32? {
    var (value, count, isIndex): (UInt64, Int, Bool) = (0, 0, true)
    tape.eachScalar(of: key, in: text) { scalar, _ in
      isIndex = ("0"..."9").contains(scalar) && count < 10 && !(count == 1 && value == 0)
      guard isIndex else { return false }
      value = value * 10 + UInt64(scalar.value - 0x30)
      count += 1
      return true
    }
    return isIndex && count > 0 && value < UInt64(UInt32.max) ? UInt32(value) : nil
  }
}
