// What a v2 grant covers: between 1 and 1,000 records, each named once, in one fixed order. From here on the bytes
// of a scope do not change; a widened, reordered or doubled list is another scope or none.

/// One record of one table. Two parts, never one string with a separator that either part may contain.
package struct RecordName: Hashable, Comparable, Sendable {
  package let table: TableName
  package let record: Identifier

  package init(table: TableName, record: Identifier) {
    self.table = table
    self.record = record
  }

  /// `table:id`, split at the first `:`; a table name has none, an id may.
  package init(joined text: String) throws(ScopeProblem) {
    let bytes = Array(text.utf8)
    guard let separator = bytes.firstIndex(of: UInt8(ascii: ":")) else { throw .notARecordName }
    do throws(IdentifierProblem) {
      table = try TableName(String(decoding: bytes[..<separator], as: UTF8.self))
      record = try Identifier(checking: String(decoding: bytes[(separator + 1)...], as: UTF8.self))
    } catch { throw .identifier(error) }
  }

  package var joined: String { table.text + ":" + record.text }

  package static func < (left: RecordName, right: RecordName) -> Bool {
    left.table == right.table ? left.record < right.record : left.table < right.table
  }
}

package enum ScopeProblem: Error, Equatable {
  case notARecordName
  case identifier(IdentifierProblem)
  case empty
  case tooManyRecords(Int)
  /// A list that is not in byte order, or names something twice.
  case notSortedAndUnique
  /// `tables` is not exactly the set of tables that the records are in.
  case tablesDoNotMatch
}

package struct Scope: Hashable, Sendable {
  package static let maximumRecords = 1000

  /// Sorted by table bytes, then record bytes; unique.
  package let records: [RecordName]

  /// For the issuer: sorts and removes repetitions.
  package init(of wanted: some Sequence<RecordName>) throws(ScopeProblem) {
    records = Set(wanted).sorted()
    try Self.checkCount(records.count)
  }

  /// For a reader: the two lists of a grant's JSON, which must be spelled exactly as `tables` and `recordIds` below
  /// spell them.
  package init(tables: [String], recordIds: [String]) throws(ScopeProblem) {
    try Self.checkCount(recordIds.count)
    var found: [RecordName] = []
    for text in recordIds { found.append(try RecordName(joined: text)) }
    let spelledIds = recordIds.map { Identifier($0) }
    guard zip(spelledIds, spelledIds.dropFirst()).allSatisfy({ $0 < $1 }) else { throw .notSortedAndUnique }
    records = found.sorted()
    let spelledTables = tables.map { Identifier($0) }
    guard spelledTables == self.tables.map({ Identifier($0) }) else { throw .tablesDoNotMatch }
  }

  package var tables: [String] { Set(records.map(\.table)).sorted().map(\.text) }

  /// Sorted by the UTF-8 bytes of the joined text, as the format says. This is not the order of `records` where one
  /// table's name begins another's: `:` sorts behind the digits.
  package var recordIds: [String] { records.map { Identifier($0.joined) }.sorted().map(\.text) }

  package func contains(_ record: RecordName) -> Bool {
    var (low, high) = (0, records.count)
    while low < high {
      let middle = (low + high) / 2
      if records[middle] < record { low = middle + 1 } else { high = middle }
    }
    return low < records.count && records[low] == record
  }

  /// `frame("mandate/v2/scope", n, table1, id1, …)`; a grant's label carries its SHA-256.
  package var frame: Frame {
    var frame = Frame(reservingBytes: 64 + records.count * 48)
    frame.add("mandate/v2/scope")
    addRecords(to: &frame)
    return frame
  }

  package func addRecords(to frame: inout Frame) {
    frame.add(records.count)
    for name in records {
      frame.add(name.table)
      frame.add(name.record)
    }
  }

  private static func checkCount(_ count: Int) throws(ScopeProblem) {
    guard count > 0 else { throw .empty }
    guard count <= maximumRecords else { throw .tooManyRecords(count) }
  }
}
