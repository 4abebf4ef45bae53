// "Did you mean …?" for names that do not exist.

package enum Nearest {
  /// The candidate with the fewest slips of the finger, if that is few enough to be one; ties go to the first.
  package static func to(_ name: String, among candidates: [String]) -> String? {
    // Long inputs are no typing mistake, and the table below grows with their square.
    guard name.utf8.count <= 128 else { return nil }
    let near = candidates.map { (candidate: $0, slips: slips(from: name, to: $0)) }.min { $0.slips < $1.slips }
    guard let near, near.slips <= max(1, near.candidate.utf8.count / 4) else { return nil }
    return near.candidate
  }

  /// Optimal string alignment: inserted, lost, changed, and swapped neighbouring bytes count one each. The case of a
  /// letter counts nothing, since a name in the wrong case is surely meant.
  static func slips(from left: String, to right: String) -> Int {
    let (left, right) = (Array(left.lowercased().utf8), Array(right.lowercased().utf8))
    var before: [Int] = []
    var row = Array(0...right.count)
    for i in left.indices {
      var next = [i + 1]
      for j in right.indices {
        var cost = min(row[j] + (left[i] == right[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1)
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { cost = min(cost, before[j - 1] + 1) }
        next.append(cost)
      }
      (before, row) = (row, next)
    }
    return row[right.count]
  }
}
