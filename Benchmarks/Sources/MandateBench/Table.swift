// The table a reader sees, and the JSON a program reads.

import Synchronization

/// A row whose two sides could not both be run.
struct Unmeasured {
  let row: Row
  let why: String
  var sentence: String { "not measured: \(row.name) (\(why))" }
}

/// What is reported beside the table and has no mark: a row says it when it has run.
final class Remarks: Sendable {
  static let shared = Remarks()
  private let kept = Mutex<[String: String]>([:])

  /// The last word on a subject counts.
  func say(_ subject: String, _ what: String) { kept.withLock { $0[subject] = what } }

  var lines: [String] { kept.withLock { kept in kept.keys.sorted().map { "\($0): \(kept[$0] ?? "")" } } }
}

enum Table {
  static func announce(_ row: Row) {
    guard StandardError.isTerminal else { return }
    StandardError.write("measuring \(row.name) …\u{1B}[K\r")
  }

  static func text(_ results: [RowResult], _ unmeasured: [Unmeasured]) -> String {
    let header = ["row", "ours", "yardstick", "unit", "ratio", "mark", "met"]
    let body = results.map { result in
      [
        result.row.name, amount(result.pair.ours), amount(result.pair.yardstick), result.row.unit,
        fixed(result.pair.ratio, 2), spelled(result.row.mark), result.met ? "yes" : "NO",
      ]
    }
    let widths = header.indices.map { column in ([header] + body).map { $0[column].count }.max() ?? 0 }
    let lines = ([header] + body).map { cells in
      zip(cells, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
        .joined(separator: "  ")
    }
    return (lines + [""] + foot(results, unmeasured) + Remarks.shared.lines).joined(separator: "\n")
  }

  /// Nothing that was not measured is met.
  static func foot(_ results: [RowResult], _ unmeasured: [Unmeasured]) -> [String] {
    let missed = results.filter { !$0.met }
    var lines = missed.map { "missed: \($0.row.name)" + ($0.row.whyMissed.map { ": " + $0 } ?? "") }
    if missed.isEmpty { lines.append(unmeasured.isEmpty ? "every mark is met" : "every mark that was measured is met") }
    if !unmeasured.isEmpty {
      lines.append("not measured, so neither met nor missed: " + unmeasured.map(\.row.name).joined(separator: " "))
    }
    return lines
  }

  private static func spelled(_ mark: Row.Mark) -> String {
    switch mark {
    case .atLeast(let value): "≥ " + fixed(value, 2)
    case .atMost(let value): "≤ " + fixed(value, 2)
    }
  }

  /// Rates are whole numbers; times may be short.
  private static func amount(_ value: Double) -> String { value < 100 ? fixed(value, 2) : grouped(value) }

  static func json(_ results: [RowResult]) -> String {
    let rows = results.map { result in
      "{\"name\":\"\(result.row.name)\",\"ours\":\(fixed(result.pair.ours, 3)),"
        + "\"yardstick\":\(fixed(result.pair.yardstick, 3)),\"ratio\":\(fixed(result.pair.ratio, 4)),"
        + "\"mark\":\(fixed(result.row.mark.value, 2)),\"met\":\(result.met)}"
    }
    return "{\"rows\":[" + rows.joined(separator: ",") + "]}"
  }

  static func fixed(_ value: Double, _ places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let whole = Int((value * scale).rounded())
    guard places > 0 else { return String(whole) }
    let digits = String(whole % Int(scale))
    return String(whole / Int(scale)) + "." + String(repeating: "0", count: places - digits.count) + digits
  }

  private static func grouped(_ value: Double) -> String {
    let digits = Array(String(Int(value.rounded())))
    return digits.indices.map { index in
      (index > 0 && (digits.count - index).isMultiple(of: 3) ? "," : "") + String(digits[index])
    }.joined()
  }
}
