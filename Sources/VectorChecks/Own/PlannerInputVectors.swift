// planner-input: which module and table go together, and the title and content that a planner is shown of a record.

import Contracts
import Missions

enum PlannerInputVectors: OwnFormat {
  static let name = "planner-input-v2.1"
  static let algorithm = "mandate-v2 planner-input"
  static let header = [
    "InputModules: module and table as an input names them. fields are the only ones that are opened; units is how many "
      + "UTF-16 units of content are shown, or null for any number; consent says whether a grant is needed.",
    "PlannerInput: fields are the opened values as JSON texts, spelled as they were sealed. units counts the content's "
      + "UTF-16 units, the ellipsis included.",
  ]
  static let notes = [
    Note("Basic", "BASIC", "A record as clients write it."),
    Note("Map", "BASIC", "A module and its own table."),
    Note("WrongTable", "AUTH_BYPASS", "A table of another module: no rule of one app may read the records of another."),
    Note("UnknownName", "AUTH_BYPASS", "Names are compared byte for byte; what looks alike is another name."),
    Note("Absent", "EDGE_CASE", "A field that is missing, null or empty."),
    Note("WrongType", "EDGE_CASE", "A field of another type than clients write."),
    Note("Unread", "CONFIDENTIALITY", "A field that the rule does not read, and that shows nowhere."),
    Note(
      "Json", "EDGE_CASE", "JSON that was read and is written again, as JSON.stringify writes what JSON.parse read."),
    Note("Cut", "EDGE_CASE", "Content at its limit, counted in UTF-16 units."),
    Note("Surrogate", "EDGE_CASE", "A surrogate pair at the cut: a half is left out."),
    Note("Combining", "EDGE_CASE", "Characters of several scalars: the cut may part them, not one scalar."),
    Note("Space", "EDGE_CASE", "White space as JavaScript's trim knows it."),
    Note("Number", "EDGE_CASE", "Numbers of up to fifteen digits, spelled as JavaScript spells the double."),
    Note("LongNumber", "EDGE_CASE", "Numbers that a double does not hold or is at the end of: the digits are kept."),
  ]
  static let groups = [
    GroupShape(
      type: "InputModules", members: [], inputs: [.init("module", .text), .init("table", .text)],
      valid: [
        .init("app", .text), .init("consent", .truth), .init("fields", .list(.text, atLeast: 1)),
        .init("units", .orNull(.positiveInteger)),
      ],
      invalid: [.init("reason", .constant(unknownModule))]),
    GroupShape(
      type: "PlannerInput", members: [.init("module", .word(InputModule.all.map(\.name)))],
      inputs: [.init("fields", .list(.object([.init("name", .text), .init("json", .text)])))],
      valid: [.init("title", .text), .init("content", .text), .init("units", .number)], invalid: []),
  ]
  private static let unknownModule = "unknown-module"

  // MARK: Checking

  static func checker(for group: Members) throws -> (Members) throws -> Outcome {
    guard group.text("type") == "PlannerInput" else { return checkMap }
    let name = group.text("module")
    guard let module = InputModule.named(name) else { throw UnreadableVectors(why: "\(name) is no module") }
    return { try check($0, module) }
  }

  private static func checkMap(_ test: Members) -> Outcome {
    let module = InputModule.named(test.text("module"), table: test.text("table"))
    guard let module else { return .expect(!test.isValid, "the pair was refused") }
    guard test.isValid else { return .failed("the pair was accepted") }
    let wanted = map(module)
    return .expect(wanted.allSatisfy { test.value($0.0) == $0.1 }, "the module is another")
  }

  private static func check(_ test: Members, _ module: InputModule) throws -> Outcome {
    guard test.isValid else { return .failed("nothing is refused here") }
    let fields = test.list("fields").map { ($0.text("name"), $0.text("json")) }
    let shown = try shown(module, fields)
    guard JSONString(shown.title) == JSONString(test.text("title")) else { return .failed("another title") }
    guard JSONString(shown.content) == JSONString(test.text("content")) else { return .failed("another content") }
    return .expect(test.number("units") == Double(shown.content.utf16.count), "the content has another length")
  }

  private static func shown(_ module: InputModule, _ fields: [(String, String)]) throws -> ResolverFormat.Shown {
    ResolverFormat.Shown(module, try SpelledRecord(fields))
  }

  // MARK: Writing

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    let maps = Group(type: "InputModules", members: [], tests: PlannerInputCases.pairs.map(pair))
    return [maps]
      + (try PlannerInputCases.all.map { name, cases in
        guard let module = InputModule.named(name) else { preconditionFailure("the cases name modules that there are") }
        return Group(
          type: "PlannerInput", members: [("module", .text(name))],
          tests: try cases.map { try test($0, module) })
      })
  }

  private static func pair(_ pair: PlannerInputCases.Pair) -> Test {
    let inputs: [(String, JSONValue)] = [("module", .text(pair.module)), ("table", .text(pair.table))]
    guard let module = InputModule.named(pair.module, table: pair.table) else {
      return Test(pair.comment, [pair.flag], inputs, .invalid(reason: unknownModule))
    }
    return Test(pair.comment, [pair.flag], inputs, .valid(map(module)))
  }

  private static func map(_ module: InputModule) -> [(String, JSONValue)] {
    [
      ("app", .text(module.app)), ("consent", .bool(module.needsGrant)), ("fields", .strings(module.fields)),
      ("units", module.cap.map { .number(JSONNumber($0)) } ?? .null),
    ]
  }

  private static func test(_ item: PlannerInputCases.Item, _ module: InputModule) throws -> Test {
    let shown = try shown(module, item.fields)
    let fields = item.fields.map { name, json in
      JSONValue.object(JSONObject(members: [("name", .text(name)), ("json", .text(json))]))
    }
    return Test(
      "\(module.name): \(item.comment)", item.flags, [("fields", .array(fields))],
      .valid([
        ("title", .text(shown.title)), ("content", .text(shown.content)),
        ("units", .number(JSONNumber(shown.content.utf16.count))),
      ]))
  }
}

/// A record of opened fields, each spelled as it was sealed.
private struct SpelledRecord: RecordFields {
  private let fields: [JSONString: (tape: JSONTape, text: [UInt8])]

  init(_ fields: [(String, String)]) throws {
    var read: [JSONString: (tape: JSONTape, text: [UInt8])] = [:]
    for (name, json) in fields {
      let text = Array(json.utf8)
      guard read.updateValue((try JSONTape(scanning: text.span), text), forKey: JSONString(name)) == nil else {
        throw UnreadableVectors(why: "a field stands twice")
      }
    }
    self.fields = read
  }

  func withField<Result: ~Copyable>(_ name: String, _ body: (JSONTape, Span<UInt8>) -> Result) -> Result? {
    guard let field = fields[JSONString(name)] else { return nil }
    return body(field.tape, field.text.span)
  }
}
