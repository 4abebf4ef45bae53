// The fold once more, as plainly as its rules can be written down: whole histories, one dictionary per question, no
// state that could be stored. The property tests hold the real one against it.

import Contracts
import Missions

struct NaiveFold {
  private(set) var values: [JSONString: JSONValue] = [:]
  private(set) var stamps: [JSONString: String] = [:]
  private(set) var exists = false

  init(_ rows: [ChangeRow]) {
    let ordered = rows.sorted { $0.position < $1.position }
    guard !ordered.isEmpty, !ordered.contains(where: { $0.operation == .delete }) else { return }
    exists = true
    values[JSONString("id")] = .string(History.recordID.text)
    for (number, row) in ordered.enumerated() {
      if number > 0, row.position == ordered[number - 1].position { continue }
      let own = row.fieldMeta?.object
      if number == 0 {
        for member in row.data?.object?.members ?? [] { values[member.key] = member.value }
        for member in own?.members ?? [] { stamps[member.key] = member.value.text }
        continue
      }
      for member in row.data?.object?.members ?? [] {
        let stamp = own?.members.first { $0.key == member.key }?.value.text ?? Self.time(of: row)
        let present = stamps[member.key] ?? ""
        if !Array(stamp.utf16).lexicographicallyPrecedes(Array(present.utf16)) {
          values[member.key] = member.value
          stamps[member.key] = stamp
        }
      }
    }
  }

  private static func time(of row: ChangeRow) -> String {
    Instant(milliseconds: row.position.microseconds / 1000).iso  // No test is set before 1970.
  }

  /// True when the fold came to the same values and stamps, whatever their order.
  func agrees(with state: FoldState) -> Bool {
    guard let mission = state.mission else { return !exists }
    let marks = mission["__fieldMeta"]?.object?.members ?? []
    let others = mission.members.filter { $0.key.text != "__fieldMeta" }
    return exists
      && Dictionary(uniqueKeysWithValues: others.map { ($0.key, $0.value) })
        == values.filter { $0.key.text != "__fieldMeta" }
      && Dictionary(uniqueKeysWithValues: marks.compactMap { mark in mark.value.text.map { (mark.key, $0) } }) == stamps
  }
}
