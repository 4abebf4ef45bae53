// Where a row of the change log stands among a record's rows: by the time of its transaction, then by its id. The
// time is kept to the microsecond, as the database has it. Cut to milliseconds it would not tell a row that has been
// folded from the next one (docs/flaws.md, F-14).

package struct ChangePosition: Hashable, Comparable, Sendable {
  /// Microseconds since 1970 UTC.
  package let microseconds: Int64
  package let id: ChangeID

  package init(microseconds: Int64, id: ChangeID) {
    self.microseconds = microseconds
    self.id = id
  }

  package static func < (left: ChangePosition, right: ChangePosition) -> Bool {
    left.microseconds == right.microseconds ? left.id < right.id : left.microseconds < right.microseconds
  }
}

/// A row's UUID. The order is that of its bytes, which is PostgreSQL's order and that of the usual spelling as text.
package struct ChangeID: Hashable, Comparable, Sendable {
  package let number: UInt128

  package init(_ number: UInt128) { self.number = number }

  /// The 16 bytes of the column's binary form.
  package init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 16 else { return nil }
    number = bytes.reduce(0) { $0 << 8 | UInt128($1) }
  }

  /// `8-4-4-4-12` hex digits, in either case.
  package init?(text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.map(\.count) == Self.groups else { return nil }
    guard let bytes = Hex.decode(text.filter { $0 != "-" }) else { return nil }
    self.init(bytes: bytes)
  }

  /// The same in lower case.
  package var text: String {
    var rest = Hex.encode(bytes)[...]
    let parts = Self.groups.map { length in
      defer { rest = rest.dropFirst(length) }
      return rest.prefix(length)
    }
    return parts.joined(separator: "-")
  }

  package var bytes: [UInt8] { (0..<16).map { UInt8(truncatingIfNeeded: number >> (8 * (15 - $0))) } }

  package static func < (left: ChangeID, right: ChangeID) -> Bool { left.number < right.number }

  private static let groups = [8, 4, 4, 4, 12]
}
