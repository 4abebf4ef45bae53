// Columns of text for a terminal: as narrow as their contents, the last one wrapped to what is left of the page.

package struct TextTable {
  /// Wide enough for a path and a sentence, narrow enough for two windows side by side.
  package static let pageWidth = 100

  private let headings: [String]
  private let width: Int
  private let indent: Int
  private var rows: [[String]] = []

  /// Between two columns.
  private static let gap = 2
  /// The last column never becomes narrower than this, even where that breaks the page.
  private static let narrowest = 30

  package init(headings: [String], width: Int = TextTable.pageWidth, indent: Int = 0) {
    precondition(!headings.isEmpty, "a table needs a column")
    (self.headings, self.width, self.indent) = (headings, width, indent)
  }

  package mutating func add(_ row: [String]) {
    precondition(row.count == headings.count, "a row has one cell for each heading")
    rows.append(row)
  }

  package var isEmpty: Bool { rows.isEmpty }

  /// Every line ends in a newline and none in a space. A column that is empty in every row is left out.
  package var text: String {
    let last = headings.count - 1
    let shown = headings.indices.filter { column in column == last || rows.contains { !$0[column].isEmpty } }
    let widths = shown.map { column in ([headings] + rows).map { $0[column].count }.max() ?? 0 }
    let before = indent + widths.dropLast().reduce(0) { $0 + $1 + Self.gap }
    let room = max(width - before, Self.narrowest)
    var text = ""
    for row in [headings] + rows {
      var line = String(repeating: " ", count: indent)
      for (column, columnWidth) in zip(shown, widths).dropLast() {
        line += row[column] + String(repeating: " ", count: columnWidth - row[column].count + Self.gap)
      }
      for part in Self.wrap(row[last], to: room) {
        text += Self.trimmed(line + part) + "\n"
        line = String(repeating: " ", count: before)
      }
    }
    return text
  }

  /// At spaces; a word that is longer than the line has one of its own. Never empty.
  package static func wrap(_ text: String, to width: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
      let line = lines[lines.count - 1]
      if line.isEmpty {
        lines[lines.count - 1] = String(word)
      } else if line.count + 1 + word.count <= width {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }

  private static func trimmed(_ line: String) -> String {
    var line = Substring(line)
    while line.last == " " { line.removeLast() }
    return String(line)
  }
}
