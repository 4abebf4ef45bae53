// The files in Vectors: written again without a change, passed case by case, closed at every level.

import Contracts
import Foundation
import Testing

@testable import VectorChecks

@Suite("Our own vectors") struct OwnVectorsTests {
  private static let folder = Repository.root.appending(path: "Vectors").path(percentEncoded: false)

  static let names = OwnVectors.formats.map { $0.name }

  /// A copy that is gone when the test ends.
  private static func withCopy<Result>(_ body: (String) throws -> Result) throws -> Result {
    let copy = FileManager.default.temporaryDirectory.appending(path: "mandate-vectors-\(UUID().uuidString)")
    let path = copy.path(percentEncoded: false)
    try FileManager.default.copyItem(atPath: folder, toPath: path)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: copy) } }
    return try body(path)
  }

  @Test("Writing the files again changes nothing")
  func generatingChangesNothing() throws {
    try Self.withCopy { copy in
      let written = try OwnVectors.generate(into: copy)
      #expect(written.filter(\.changed).map(\.file) == [])
      #expect(written.count == 2 * OwnVectors.formats.count)
      for file in written {
        #expect(
          FileManager.default.contentsEqual(atPath: copy + "/" + file.file, andPath: Self.folder + "/" + file.file))
      }
      let found = try FileManager.default.subpathsOfDirectory(atPath: Self.folder).filter { $0.hasSuffix(".json") }
      #expect(found.sorted() == written.map(\.file).sorted())
    }
  }

  @Test("A damaged wrap is not kept, and nothing else is drawn anew")
  func aDamagedWrapIsReplaced() throws {
    try Self.withCopy { copy in
      let path = copy + "/grant-v2.1.json"
      var text = try String(contentsOfFile: path, encoding: .utf8)
      let wrap = try #require(text.range(of: "\"grant\": \"{\\\"wrappedKey\\\":\\\""))
      let damaged = wrap.upperBound..<text.index(wrap.upperBound, offsetBy: 4)
      text.replaceSubrange(damaged, with: text[damaged] == "AAAA" ? "BBBB" : "AAAA")
      try text.write(toFile: path, atomically: true, encoding: .utf8)

      #expect(try OwnVectors.generate(into: copy).filter(\.changed).map(\.file) == ["grant-v2.1.json"])
      let json = try JSONValue(parsing: String(contentsOfFile: path, encoding: .utf8))
      #expect(try Self.results(GrantV2Vectors.self, json).allSatisfy { $0.outcome == .passed })
      #expect(try OwnVectors.generate(into: copy).filter(\.changed).isEmpty)
    }
  }

  @Test("Every case of every file passes, as many as the file says", arguments: OwnVectorsTests.names)
  func everyCasePasses(name: String) throws {
    let format = try #require(OwnVectors.formats.first { $0.name == name })
    let json = try Self.json(name)
    let results = try Self.results(format, json)
    #expect(results.count == json["numberOfTests"]?.number?.integer)
    #expect(results.filter { $0.outcome != .passed }.map { "\($0.id): \($0.outcome)" } == [])
    #expect(results.count > 10)
  }

  @Test(
    "Members that are unknown, missing or of another type are refused at every level",
    arguments: OwnVectorsTests.names)
  func everyLevelIsClosed(name: String) throws {
    let format = try #require(OwnVectors.formats.first { $0.name == name })
    let json = try Self.json(name)
    #expect(throws: Never.self) { try format.read(json) }
    var refused = 0
    for (what, damaged) in Damage.everywhere(in: json) {
      #expect(throws: UnreadableVectors.self, "\(what) was accepted") { try format.read(damaged) }
      refused += 1
    }
    #expect(refused > 30)
  }

  @Test("A member that stands twice is refused when the file is read")
  func doubledMembersAreRefused() throws {
    let text = String(decoding: try Repository.bytes(of: "Vectors/frame-v2.1.json"), as: UTF8.self)
    let doubled = text.replacing("\"comment\":", with: "\"comment\": \"x\", \"comment\":", maxReplacements: 1)
    #expect(doubled != text)
    #expect(throws: Never.self) { try FileReading.content(of: Array(text.utf8)) }
    #expect(throws: FileReading.Failure.self) { try FileReading.content(of: Array(doubled.utf8)) }
  }

  @Test("A schema that says anything else than the reader enforces fails")
  func aLooserSchemaFails() throws {
    let schemas = try #require(VectorKinds.own.last)
    for format in OwnVectors.formats {
      let text = String(decoding: try Repository.bytes(of: "Vectors/\(format.schemaName)"), as: UTF8.self)
      let looser = text.replacing(
        "\"additionalProperties\": false", with: "\"additionalProperties\": true", maxReplacements: 1)
      #expect(looser != text)
      for (content, passes) in [(text, true), (looser, false)] {
        let content = VectorContent.json(try JSONValue(parsing: content))
        #expect(schemas.recognises(content))
        let outcomes = try schemas.check(content) { _ in }.map(\.outcome)
        #expect((outcomes == [.passed]) == passes)
      }
    }
  }

  private static func json(_ name: String) throws -> JSONValue {
    let bytes = try Repository.bytes(of: "Vectors/\(name).json")
    return try JSONValue(parsing: bytes.span, duplicateKeys: .refused)
  }

  private static func results(_ format: any OwnFormat.Type, _ json: JSONValue) throws -> [CaseResult] {
    let kind = try #require(VectorKinds.own.first { $0.recognises(.json(json)) })
    #expect(kind.name == format.algorithm)
    return try kind.check(.json(json)) { _ in }
  }
}

/// One change at a time, at the file, the first group, its first valid and its first invalid test.
private enum Damage {
  static func everywhere(in file: JSONValue) -> [(String, JSONValue)] {
    var damaged = members(of: file).map { ("file: \($0.0)", $0.1) }
    guard let groups = file["testGroups"]?.array else { return damaged }
    func replaced(_ index: Int, _ group: JSONValue) -> JSONValue {
      var groups = groups
      groups[index] = group
      return file.edited(.set("testGroups", .array(groups)))
    }
    for (index, group) in groups.enumerated() {
      damaged += members(of: group).map { ("group \(index): \($0.0)", replaced(index, $0.1)) }
      guard let tests = group["tests"]?.array else { continue }
      for result in ["valid", "invalid"] {
        guard let place = tests.firstIndex(where: { $0["result"] == .string(result) }) else { continue }
        damaged += members(of: tests[place]).map { what, test in
          var tests = tests
          tests[place] = test
          return (
            "\(result) test of group \(index): \(what)", replaced(index, group.edited(.set("tests", .array(tests))))
          )
        }
      }
    }
    return damaged
  }

  private static func members(of object: JSONValue) -> [(String, JSONValue)] {
    let names = object.object?.members.map(\.key.text) ?? []
    return [("an unknown member", object.with(["unheard-of"], .null))]
      + names.map { ("no \($0)", object.with([$0], nil)) }
      + names.map { ("\($0) of another type", object.with([$0], .object(JSONObject()))) }
  }
}
