// Record names and identifiers in vector files, and the word for each way in which one is refused.

import Contracts
import Grants

enum Names {
  static let recordShape = Shape.object([.init("table", .text), .init("id", .text)])

  /// Bad spellings of an identifier.
  static let badIdentifiers: [(comment: String, text: String)] = [
    ("empty", ""), ("of 257 bytes", String(repeating: "x", count: 257)), ("with a line end", "n\n1"),
    ("with a NUL", "n\u{0}1"), ("with DEL", "n\u{7F}"), ("with a C1 control", "n\u{85}1"),
  ]

  /// Good ones that are easily got wrong.
  static let hardIdentifiers: [(comment: String, text: String)] = [
    ("composed", Material.composed), ("decomposed", Material.decomposed), ("with a colon", "a:b"),
    ("with a comma", "a,b"), ("an astral character", "\u{1F600}"), ("a private use character", "\u{E000}"),
    ("of 256 bytes", Material.longestId), ("of one space", " "), ("with quotes and a backslash", "a\"b\\c"),
    ("a no-break space", "\u{A0}"), ("a line separator", "\u{2028}"),
  ]

  static let badTables = ["", "1notes", "_notes", "no-tes", "notes:", "n\u{F6}tes", String(repeating: "t", count: 64)]

  static func json(_ records: [(String, String)]) -> JSONValue {
    .array(records.map { .object(JSONObject(members: [("table", .text($0.0)), ("id", .text($0.1))])) })
  }

  static func json(_ records: [RecordName]) -> JSONValue { json(records.map { ($0.table.text, $0.record.text) }) }

  static func records(_ members: [Members]) throws(ScopeProblem) -> [RecordName] {
    var records: [RecordName] = []
    for member in members { records.append(try record(member.text("table"), member.text("id"))) }
    return records
  }

  static func record(_ table: String, _ id: String) throws(ScopeProblem) -> RecordName {
    do throws(IdentifierProblem) {
      return RecordName(table: try TableName(table), record: try Identifier(checking: id))
    } catch { throw .identifier(error) }
  }

  static let scopeReasons = [
    "empty", "too-many-records", "not-a-record-name", "identifier", "not-sorted-and-unique", "tables-do-not-match",
  ]

  static func reason(_ problem: ScopeProblem) -> String {
    switch problem {
    case .notARecordName: "not-a-record-name"
    case .identifier: "identifier"
    case .empty: "empty"
    case .tooManyRecords: "too-many-records"
    case .notSortedAndUnique: "not-sorted-and-unique"
    case .tablesDoNotMatch: "tables-do-not-match"
    }
  }

  static func thousand(_ count: Int = 1000) -> [(String, String)] {
    (0..<count).map { ($0.isMultiple(of: 2) ? "notes" : "tasks", Hex.encode(Material.seeded("record \($0)", 8))) }
  }
}
