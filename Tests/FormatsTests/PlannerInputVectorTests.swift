// The vectors of what a planner is shown: no pair of module and table is left out, and every value in them counts.

import Contracts
import Missions
import Testing

@testable import VectorChecks

@Suite("The vectors of planner input") struct PlannerInputVectorTests {
  private static func file() throws -> JSONValue {
    let bytes = try Repository.bytes(of: "Vectors/\(PlannerInputVectors.name).json")
    return try JSONValue(parsing: bytes.span, duplicateKeys: .refused)
  }

  @Test("Every module meets every table of the map, and goes with its own alone")
  func everyPair() throws {
    let groups = try PlannerInputVectors.read(Self.file())
    let tests = try #require(groups.first { $0.group.text("type") == "InputModules" }).tests
    let tables = Set(InputModule.all.map { JSONString($0.table) })
    var (accepted, refused) = (0, 0)
    for module in InputModule.all {
      for table in tables {
        let found = tests.filter {
          JSONString($0.text("module")) == JSONString(module.name) && JSONString($0.text("table")) == table
        }
        #expect(found.count == 1 && found.first?.isValid == (table == JSONString(module.table)))
        if found.first?.isValid == true { accepted += 1 } else { refused += 1 }
      }
    }
    #expect(tables.count == 7 && accepted == InputModule.all.count && refused == 48)
    #expect(tests.filter { !$0.isValid }.count > refused, "names that are on no list")
  }

  @Test("Every module has records, and every limit is met exactly and passed by one")
  func everyLimit() throws {
    let groups = try PlannerInputVectors.read(Self.file()).filter { $0.group.text("type") == "PlannerInput" }
    #expect(groups.map { $0.group.text("module") }.sorted() == InputModule.all.map(\.name).sorted())
    for (group, tests) in groups where group.text("module") != "todo" {
      let cap = try #require(InputModule.named(group.text("module"))).cap.map(Double.init)
      let units = Set(tests.compactMap { $0.number("units") })
      // With a pair across the cut one unit is lost, and the ellipsis comes on top.
      if let cap { #expect(units.isSuperset(of: [cap, cap + 1]) && units.max() == cap + 1) }
    }
  }

  @Test("A change of any value that follows from others fails")
  func everyValueCounts() throws {
    let file = try Self.file()
    var changed = 0
    for (group, tests) in try PlannerInputVectors.read(file) {
      let check = try PlannerInputVectors.checker(for: group)
      for test in tests {
        #expect(try check(test) == .passed)
        for name in ["title", "content", "units", "app", "consent", "fields", "result"] where test.has(name) {
          guard let value = Self.other(than: test.value(name)) else { continue }
          let damaged = Members(.object(test.object).with([name], value))
          // A valid pair that is called refused has members too many, which the reader refuses before.
          #expect(try check(damaged) != .passed, "\(test.text("comment")): another \(name)")
          changed += 1
        }
      }
    }
    #expect(changed > 1_200)
  }

  private static func other(than value: JSONValue) -> JSONValue? {
    switch value {
    case .string(let text) where text.text == "valid": .string("invalid")
    case .string(let text) where text.text == "invalid": nil
    case .string(let text): .string(text.text + "x")
    case .number(let number): .number(JSONNumber((number.integer ?? 0) + 1))
    case .bool(let truth): .bool(!truth)
    case .null: .number(JSONNumber(7))
    case .array(let elements): elements.first?.text == nil ? nil : .array(Array(elements.dropLast()))
    case .object: nil
    }
  }
}
