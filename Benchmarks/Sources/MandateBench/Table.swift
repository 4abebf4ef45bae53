// The table a reader sees, and the JSON a program reads.

enum Table {
  static func announce(_ row: Row) {
    guard StandardError.isTerminal else { return }
    StandardError.write("measuring \(row.name) …\u{1B}[K\r")
  }

  static func text(_ results: [RowResult]) -> String {
    let header = ["row", "ours", "yardstick", "unit", "ratio", "mark", "met"]
    let body = results.map { result in
      [
        result.row.name, grouped(result.pair.ours), grouped(result.pair.yardstick), result.row.unit,
        fixed(result.pair.ratio, 2), "≥ " + fixed(result.row.mark, 2), result.met ? "yes" : "NO",
      ]
    }
    let widths = header.indices.map { column in ([header] + body).map { $0[column].count }.max() ?? 0 }
    let lines = ([header] + body).map { cells in
      zip(cells, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
        .joined(separator: "  ")
    }
    let missed = results.filter { !$0.met }.map(\.row.name)
    let foot = missed.isEmpty ? "every mark is met" : "missed: " + missed.joined(separator: " ")
    return (lines + ["", foot]).joined(separator: "\n")
  }

  static func json(_ results: [RowResult]) -> String {
    let rows = results.map { result in
      "{\"name\":\"\(result.row.name)\",\"ours\":\(fixed(result.pair.ours, 1)),"
        + "\"yardstick\":\(fixed(result.pair.yardstick, 1)),\"ratio\":\(fixed(result.pair.ratio, 4)),"
        + "\"mark\":\(fixed(result.row.mark, 2)),\"met\":\(result.met)}"
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
