// Opening whole records: which fields, in which order, and what ends it.

import Contracts
import Cryptography
import Secrets
import Testing

@testable import Grants

@Suite struct RecordOpeningTests {
  private static let name = record("notes:n1")

  private func object(_ members: [(String, JSONValue)]) -> JSONObject { JSONObject(members: members) }

  private func sealed1(_ json: String) throws -> JSONValue {
    var fields = try Fields()
    return .string(try fields.seal(.one, Array(json.utf8)))
  }

  private func sealed2(_ json: String, field: String) throws -> JSONValue {
    var codec = try FieldCodec()
    let message = Array(json.utf8)
    let place = FieldPlace(user: id(Ordinary.user), record: Self.name, field: field)
    let key = try Ordinary.recordKey()
    return .string(try codec.seal2(message.span, key: key, place: place, iv: Fields.iv))
  }

  private func open1(_ record: JSONObject, _ look: (borrowing OpenedRecord) -> Void = { _ in }) throws -> Ending<
    FieldRefusal
  > {
    var codec = try FieldCodec()
    let key = try Ordinary.missionKeyV1()
    return Ending { () throws(FieldFailure) in look(try codec.openRecord1(record, key: key)) }
  }

  private func open2(
    _ record: JSONObject, _ fields: [String], copies: [JSONString: SealedCopy] = [:],
    _ look: (borrowing OpenedRecord) -> Void = { _ in }
  ) throws -> Ending<FieldRefusal> {
    var codec = try FieldCodec()
    let key = try Ordinary.recordKey()
    return Ending { () throws(FieldFailure) in
      look(
        try codec.openRecord2(
          record, fields: fields, key: key, user: id(Ordinary.user), name: Self.name, copies: copies))
    }
  }

  // MARK: v1

  @Test("v1 opens every top-level enc:1 text and leaves everything else as it stands")
  func walk() throws {
    let inner = JSONValue.object(object([("title", try sealed1("\"inner\""))]))
    let untouched: [(String, JSONValue)] = [
      ("plain", .string("text")), ("two", .string("enc:2:AAAA.AAAA")), ("three", .string("enc:3:x")),
      ("capitals", .string("ENC:1:x.y")), ("blank", .string(" enc:1:x.y")), ("inner", inner), ("list", .array([inner])),
      ("number", .number(JSONNumber(1))), ("null", .null), ("empty", .string("")),
    ]
    let sealed = [
      ("id", try sealed1("\"x\"")), ("deletedAt", try sealed1("null")), ("deep", try sealed1("{\"b\":[1],\"a\":2}")),
    ]
    let ending = try open1(object(sealed + untouched)) { record in
      #expect(record.openedCount == 3)
      #expect(record.copyOfField("id") == .string("x"))
      #expect(record.copyOfField("deletedAt") == .null)
      #expect(record.copyOfField("deep")?.compactText() == "{\"b\":[1],\"a\":2}")
      for (name, value) in untouched { #expect(record.copyOfField(name) == value) }
      #expect(record.copyOfField("absent") == nil)
      #expect(record.stored == object(sealed + untouched))
    }
    #expect(ending == .opened)
  }

  @Test("v1 walks in JavaScript's order of keys and ends at the first failure")
  func order() throws {
    // Each failure has its own reason, so that the reason tells which field was met first.
    let missing = ("missing", JSONValue.string("enc:1:AAAA"))
    let tampered = JSONValue.string("enc:1:oKGio6Slpqeoqaqr.AAAA")
    let notJSON = try sealed1("x")
    #expect(try open1(object([missing, ("b", tampered)])) == .refused(.ciphertextMalformed))
    #expect(try open1(object([("b", tampered), missing])) == .refused(.ciphertextTampered))
    // Array indices come first, in ascending order, wherever they stand in the text.
    #expect(try open1(object([missing, ("10", notJSON), ("9", tampered)])) == .refused(.ciphertextTampered))
    #expect(try open1(object([missing, ("9", notJSON), ("10", tampered)])) == .refused(.decryptFailed))
    // A leading zero or more than 2^32 - 2 is no index.
    #expect(try open1(object([missing, ("09", notJSON)])) == .refused(.ciphertextMalformed))
    #expect(try open1(object([missing, ("4294967295", notJSON)])) == .refused(.ciphertextMalformed))
    #expect(try open1(object([missing, ("4294967294", notJSON)])) == .refused(.decryptFailed))
    // What opened before the failure is not given out.
    #expect(try open1(object([("a", sealed1("1")), missing])) == .refused(.ciphertextMalformed))
  }

  @Test("A member that stands twice has its first position and its last value")
  func doubled() throws {
    let good = try #require(try sealed1("1").text)
    let text = "{\"a\":\"enc:1:AAAA\",\"b\":\"enc:1:x.y\",\"a\":\"\(good)\"}"
    let record = try #require(try JSONValue(parsing: text).object)
    #expect(try open1(record) == .refused(.decryptFailed))
  }

  @Test("Field names that only look alike are two fields")
  func lookalikes() throws {
    let record = object([(composed, try sealed1("1")), (decomposed, try sealed1("2"))])
    let ending = try open1(record) { opened in
      #expect(opened.copyOfField(composed)?.compactText() == "1")
      #expect(opened.copyOfField(decomposed)?.compactText() == "2")
      #expect(opened.openedCount == 2)
    }
    #expect(ending == .opened)
    let two = object([(composed, try sealed2("1", field: composed)), (decomposed, try sealed2("2", field: decomposed))])
    #expect(try open2(two, [composed, decomposed]) == .opened)
    let exchanged = object([
      (composed, try sealed2("1", field: decomposed)), (decomposed, try sealed2("2", field: composed)),
    ])
    #expect(try open2(exchanged, [composed]) == .refused(.ciphertextTampered))
  }

  // MARK: v2

  @Test("v2 opens exactly the fields that are asked for")
  func onlyFields() throws {
    let record = object([
      ("title", try sealed2("\"a\"", field: "title")), ("content", .string("enc:2:broken")), ("plain", .string("text")),
      ("number", .number(JSONNumber(1))), ("nothing", .null),
    ])
    let ending = try open2(record, ["title", "plain", "number", "nothing", "absent"]) { opened in
      #expect(opened.openedCount == 1)
      #expect(opened.copyOfField("title") == .string("a"))
      #expect(opened.copyOfField("plain") == .string("text"))
      #expect(opened.copyOfField("content") == .string("enc:2:broken"))
      #expect(opened.copyOfField("absent") == nil)
    }
    #expect(ending == .opened)
    #expect(try open2(record, ["title", "content"]) == .refused(.ciphertextMalformed))
    #expect(try open2(record, []) == .opened)
  }

  @Test("A value that was moved to another field of its own record refuses the record")
  func movedField() throws {
    let record = object([("title", try sealed2("\"a\"", field: "content"))])
    #expect(try open2(record, ["title"]) == .refused(.ciphertextTampered))
  }

  @Test(
    "An envelope of an unknown version fails closed in v2 and is text only where it is none",
    arguments: [
      ("enc:3:AAAA.AAAA", true), ("enc:0:", true), ("enc:10:x", true), ("enc:01:x", true), ("enc:22:", true),
      ("enc:", false), ("enc::x", false), ("enc:x:y", false), ("enc:2", false), ("enc:1", false), ("ENC:3:x", false),
      ("enc:2x:y", false), (" enc:3:x", false), ("encode: 3", false),
    ])
  func unknownVersions(text: String, isEnvelope: Bool) throws {
    let record = object([("title", .string(text))])
    #expect(try open2(record, ["title"]) == (isEnvelope ? .refused(.ciphertextMalformed) : .opened))
    #expect(try open2(record, ["other"]) == .opened)
  }

  @Test("enc:1 in a v2 record is served by its sealed copy, each field by its own, or not at all")
  func copies() throws {
    var codec = try FieldCodec()
    var copies: [JSONString: SealedCopy] = [:]
    var members: [(String, JSONValue)] = []
    for field in ["title", "content"] {
      let current = try #require(try sealed1("\"\(field)\"").text)
      let place = FieldPlace(user: id(Ordinary.user), record: Self.name, field: field)
      let message = Array("\"\(field)\"".utf8)
      let envelope = try FieldEnvelope(parsing: current.utf8.span, as: .one)
      let key = try Ordinary.recordKey()
      copies[JSONString(field)] = try codec.sealCopy(
        message.span, of: envelope, key: key, place: place, iv: Fields.iv)
      members.append((field, .string(current)))
    }
    let record = object(members)
    let ending = try open2(record, ["title", "content"], copies: copies) { opened in
      #expect(opened.copyOfField("title") == .string("title"))
      #expect(opened.copyOfField("content") == .string("content"))
    }
    #expect(ending == .opened)
    #expect(try open2(record, ["title"]) == .refused(.notSealedYet))
    let exchanged = [JSONString("title"): try #require(copies[JSONString("content")])]
    #expect(try open2(record, ["title"], copies: exchanged) == .refused(.notSealedYet))
    let other = object([("title", try sealed1("\"edited\""))])
    #expect(try open2(other, ["title"], copies: copies) == .refused(.notSealedYet))
    let refused = [
      JSONString("title"): SealedCopy.refused(of: try #require(copies[JSONString("title")]).of, .movedCiphertext)
    ]
    #expect(try open2(record, ["title"], copies: refused) == .refused(.movedCiphertext))
  }

  @Test("The first failing field decides, in the order in which the module asks")
  func fieldOrder() throws {
    let record = object([
      ("a", .string("enc:2:AAAA")), ("b", .string("enc:2:oKGio6Slpqeoqaqr.AAAA")), ("c", try sealed1("1")),
    ])
    #expect(try open2(record, ["a", "b", "c"]) == .refused(.ciphertextMalformed))
    #expect(try open2(record, ["b", "c", "a"]) == .refused(.ciphertextTampered))
    #expect(try open2(record, ["c", "a", "b"]) == .refused(.notSealedYet))
  }

  @Test("An open field is lent as its JSON text, with a tape that fits it")
  func lending() throws {
    let values = ["\"plain\"", "\"es\\ncaped\"", "{\"a\":[1,\"\u{1F600}\"]}", "null", "\"\""]
    let names = values.indices.map { "f\($0)" }
    let record = object(try zip(names, values).map { ($0, try sealed2($1, field: $0)) })
    let ending = try open2(record, names) { opened in
      for (name, value) in zip(names, values) {
        let text = opened.withField(name) { tape, text in
          #expect(JSONValue(tape, in: text) == (try? JSONValue(parsing: value)))
          return String(decoding: [UInt8](copying: text), as: UTF8.self)
        }
        #expect(text == value)
      }
    }
    #expect(ending == .opened)
  }
}
