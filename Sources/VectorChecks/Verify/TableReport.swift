// The run as text: a row per file, then what a reader must not miss, then one line of totals.

import ServiceRuntime

enum TableReport {
  /// Failures of one file that are spelled out; the count is complete in any case.
  static let mostFailuresShown = 50

  private static let headings = [
    "kind", "cases", "run", "passed", "failed", "apart", "skipped", "file", "set apart and skipped, by reason",
  ]
  private static let numbers = 1...6

  static func text(_ summary: Summary, quiet: Bool) -> String {
    var text = quiet ? "" : rows(summary.reports)
    for report in summary.reports { text += failures(report) }
    for report in summary.reports { text += notUnderstood(report) }
    if !quiet, !summary.passedOver.isEmpty {
      text += "passed over: " + summary.passedOver.map(Printable.name).joined(separator: ", ") + "\n"
    }
    return text + foot(summary.totals)
  }

  static func foot(_ totals: Totals) -> String {
    var line = "\(totals.passed) passed, \(totals.failed) failed, "
    line += "\(totals.setApart) set apart, \(totals.skipped) skipped"
    if totals.broken > 0 { line += "; \(files(totals.broken)) failed as a whole" }
    if totals.notUnderstood > 0 { line += "; \(files(totals.notUnderstood)) not understood" }
    if totals.run == 0 { line += "; nothing ran" }
    return line + "\n"
  }

  private static func files(_ count: Int) -> String { count == 1 ? "1 file" : "\(count) files" }

  private static func rows(_ reports: [FileReport]) -> String {
    let rows = reports.compactMap(row)
    guard !rows.isEmpty else { return "" }
    let widths = headings.indices.map { column in ([headings] + rows).map { $0[column].count }.max() ?? 0 }
    return ([headings] + rows).map { line($0, widths) + "\n" }.joined()
  }

  private static func row(_ report: FileReport) -> [String]? {
    guard case .checked(let kind, let tally) = report.verdict else { return nil }
    let counts = [tally.cases, tally.run, tally.passed, tally.failed, tally.setApartCount, tally.skippedCount]
    let reasons = named(tally.setApart, "") + named(tally.skipped, "skipped: ")
    return [kind] + counts.map(String.init) + [Printable.name(report.path), reasons.joined(separator: "; ")]
  }

  /// `9 engine-dependent`, in a fixed order.
  private static func named(_ reasons: [String: Int], _ prefix: String) -> [String] {
    reasons.sorted { $0.key < $1.key }.map { "\(prefix)\($0.value) \(Printable.name($0.key))" }
  }

  /// Numbers to the right, words to the left, nothing behind the last word.
  private static func line(_ cells: [String], _ widths: [Int]) -> String {
    var line = ""
    for (column, cell) in cells.enumerated() {
      let room = String(repeating: " ", count: widths[column] - cell.count)
      line += (column == 0 ? "" : "  ") + (numbers.contains(column) ? room + cell : cell + room)
    }
    while line.last == " " { line.removeLast() }
    return line
  }

  private static func failures(_ report: FileReport) -> String {
    let path = Printable.name(report.path)
    switch report.verdict {
    case .broken(let kind, let why): return "failed: \(path)\(kind.map { " (\($0))" } ?? ""): \(why)\n"
    case .checked(_, let tally):
      let shown = tally.failures.prefix(mostFailuresShown)
      let lines = shown.map { "failed: \(path) \(Printable.name($0.id)): \(Printable.name($0.what))\n" }.joined()
      let rest = tally.failed - shown.count
      return rest > 0 ? lines + "failed: \(path): and \(rest) more\n" : lines
    case .notUnderstood, .passedOver: return ""
    }
  }

  private static func notUnderstood(_ report: FileReport) -> String {
    guard case .notUnderstood(let what, let later) = report.verdict else { return "" }
    return "not understood\(later ? " yet" : ""): \(what): \(Printable.name(report.path))\n"
  }
}
