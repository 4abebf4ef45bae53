// A label and the closed set of values it may have. A value that comes from outside (a path, a table, an id) would let
// whoever sends it make series without end and write what he likes into our monitoring; here it becomes `other`.

package struct LabelSet<Value: Hashable & Sendable>: Sendable {
  let name: String
  /// As they are written, in the order of their positions.
  let values: [String]
  private let positions: [Value: Int]
  /// Where a value goes that is not in the set.
  private let otherPosition: Int

  private init(_ name: StaticString, _ members: [(Value, String)], other: Int) {
    precondition(MetricName.isLabel(name.description), "\(name) is not the name of a label")
    precondition(!members.isEmpty && members.count <= Self.largest, "\(name) has no values, or too many for a label")
    self.name = name.description
    values = members.map(\.1)
    positions = Dictionary(members.enumerated().map { ($1.0, $0) }, uniquingKeysWith: { first, _ in first })
    precondition(Set(values).count == values.count, "\(name) has a value twice")
    otherPosition = other
  }

  /// More values than this are no closed set but somebody's data.
  static var largest: Int { 256 }

  var count: Int { values.count }

  func position(of value: Value) -> Int { positions[value] ?? otherPosition }
}

extension LabelSet where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
  /// Every case of an enum, by its raw value.
  package init(_ name: StaticString, of type: Value.Type) {
    self.init(name, type.allCases.map { ($0, $0.rawValue) }, other: 0)
  }
}

extension LabelSet where Value == String {
  /// A list that is fixed when the process starts, the patterns of its routes for example. Anything else is `other`.
  package init(_ name: StaticString, fixed values: [String]) {
    var seen: Set<String> = [Self.other]
    let kept = values.filter { seen.insert($0).inserted }
    self.init(name, (kept + [Self.other]).map { ($0, $0) }, other: kept.count)
  }

  package static var other: String { "other" }
}
