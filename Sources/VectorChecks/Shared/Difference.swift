// Where two byte strings part, without saying what stands there: it may be a key.

enum Difference {
  /// Nil where they are equal.
  static func between(_ expected: [UInt8], _ found: [UInt8], _ name: String) -> String? {
    guard expected != found else { return nil }
    guard expected.count == found.count else {
      return "\(name) has \(found.count) bytes where \(expected.count) are expected"
    }
    let first = expected.indices.first { expected[$0] != found[$0] } ?? 0
    return "\(name) differs at byte \(first) of \(expected.count)"
  }
}
