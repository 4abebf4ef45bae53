// What each format's vectors consist of, and how a file of them is put together and taken apart. One type per
// format holds both directions: `make` writes the cases, `check` runs one.

import Contracts

protocol OwnFormat: Sendable {
  /// The file's name without `.json`. Changed bytes are a new version, so a new name.
  static var name: String { get }
  static var algorithm: String { get }
  static var header: [String] { get }
  static var notes: [Note] { get }
  static var groups: [GroupShape] { get }
  /// All groups, from fixed inputs. What OpenSSL draws at random comes from `former` where that still opens.
  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group]
  /// Prepares what the tests of a group share, and gives what runs one of them.
  static func checker(for group: Members) throws -> (Members) throws -> Outcome
}

struct Note: Sendable {
  let flag: String
  let bugType: String
  let description: String

  init(_ flag: String, _ bugType: String, _ description: String) {
    self.flag = flag
    self.bugType = bugType
    self.description = description
  }
}

/// The members of a group and of its tests, besides those that every group and test has.
struct GroupShape: Sendable {
  let type: String
  let members: [Shape.Member]
  let inputs: [Shape.Member]
  let valid: [Shape.Member]
  let invalid: [Shape.Member]
}

struct Group {
  let type: String
  let members: [(String, JSONValue)]
  let tests: [Test]
}

struct Test {
  enum Result {
    case valid([(String, JSONValue)])
    case invalid([(String, JSONValue)])

    static func invalid(reason: String) -> Result { .invalid([("reason", .string(reason))]) }
  }

  let comment: String
  let flags: [String]
  let inputs: [(String, JSONValue)]
  let result: Result

  init(_ comment: String, _ flags: [String], _ inputs: [(String, JSONValue)], _ result: Result) {
    self.comment = comment
    self.flags = flags
    self.inputs = inputs
    self.result = result
  }
}

extension OwnFormat {
  static var schemaName: String { "schemas/\(name).json" }

  // MARK: Writing

  static func file(of groups: [Group]) -> JSONValue {
    var number = 0
    let written = groups.map { group in
      let tests = group.tests.map { test in
        number += 1
        return json(of: test, number)
      }
      return JSONValue.object(
        JSONObject(members: [("type", .string(group.type))] + group.members + [("tests", .array(tests))]))
    }
    return .object(
      JSONObject(members: [
        ("algorithm", .string(algorithm)),
        ("schema", .string(schemaName)),
        ("numberOfTests", .number(JSONNumber(number))),
        ("header", .array(header.map(JSONValue.string))),
        ("notes", .object(JSONObject(members: notes.map { ($0.flag, $0.json) }))),
        ("testGroups", .array(written)),
      ]))
  }

  private static func json(of test: Test, _ number: Int) -> JSONValue {
    let (result, outputs) =
      switch test.result {
      case .valid(let outputs): ("valid", outputs)
      case .invalid(let outputs): ("invalid", outputs)
      }
    return .object(
      JSONObject(
        members: [
          ("tcId", .number(JSONNumber(number))), ("comment", .string(test.comment)),
          ("flags", .array(test.flags.map(JSONValue.string))),
        ] + test.inputs + [("result", .string(result))] + outputs))
  }

  // MARK: Reading

  static func recognises(_ json: JSONValue) -> Bool {
    json["algorithm"] == .string(algorithm) && json["schema"] == .string(schemaName)
  }

  /// Shape first, then what no schema can say: numbers that run on, notes that are used, flags that are explained.
  static func read(_ json: JSONValue) throws(UnreadableVectors) -> [(group: Members, tests: [Members])] {
    try shape.check(json, at: "file")
    let file = Members(json)
    let groups = file.list("testGroups").map { group in (group: group, tests: group.list("tests")) }
    let tests = groups.flatMap(\.tests)
    guard tests.map({ $0.integer("tcId") }) == Array(1...max(tests.count, 1)),
      file.integer("numberOfTests") == tests.count
    else { throw UnreadableVectors(why: "tcIds or numberOfTests do not count the tests") }
    // What is kept from a former file is found by its comment.
    guard Set(tests.map { JSONString($0.text("comment")) }).count == tests.count else {
      throw UnreadableVectors(why: "two tests have one comment")
    }
    let used = Set(tests.flatMap { $0.texts("flags") })
    for note in notes where !used.contains(note.flag) {
      throw UnreadableVectors(why: "no test has the flag \(note.flag)")
    }
    return groups
  }

  static var schema: JSONValue {
    guard let body = shape.schema.object else { preconditionFailure("a file is an object") }
    return .object(
      JSONObject(
        [
          (JSONString("$schema"), .string("https://json-schema.org/draft/2020-12/schema")),
          (JSONString("$id"), .string("urn:mandate:vectors:\(name)")),
          (JSONString("title"), .string(algorithm)),
        ] + body.members.map { ($0.key, $0.value) }))
  }

  private static var shape: Shape {
    .object([
      .init("algorithm", .constant(algorithm)),
      .init("schema", .constant(schemaName)),
      .init("numberOfTests", .positiveInteger),
      .init("header", .list(.text, atLeast: 1)),
      .init(
        "notes",
        .object(
          notes.map { .init($0.flag, .object([.init("bugType", .constant($0.bugType)), .init("description", .text)])) })
      ),
      .init("testGroups", .list(.variants(by: "type", groups.map { groupMembers($0) }), atLeast: 1)),
    ])
  }

  private static func groupMembers(_ group: GroupShape) -> [Shape.Member] {
    let common: [Shape.Member] = [
      .init("tcId", .positiveInteger), .init("comment", .text),
      .init("flags", .list(.word(notes.map(\.flag)), atLeast: 1)),
    ]
    let tests = Shape.variants(
      by: "result",
      [
        common + group.inputs + [.init("result", .constant("valid"))] + group.valid,
        common + group.inputs + [.init("result", .constant("invalid"))] + group.invalid,
      ])
    return [.init("type", .constant(group.type))] + group.members + [.init("tests", .list(tests, atLeast: 1))]
  }
}

extension Note {
  var json: JSONValue {
    .object(JSONObject(members: [("bugType", .string(bugType)), ("description", .string(description))]))
  }
}
