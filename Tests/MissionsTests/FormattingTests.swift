// What a planner is shown of a record: by the rules of its module, in UTF-16 units, never half a character.

import Contracts
import Testing

@testable import Missions

/// Keeps what it is given, so that a test can look at it.
struct KeptBytes: ByteSink {
  private(set) var bytes: [UInt8] = []
  mutating func append(_ byte: UInt8) { bytes.append(byte) }
  mutating func append(_ more: Span<UInt8>) { for index in more.indices { bytes.append(more[index]) } }
  var text: String? { String(validating: bytes, as: UTF8.self) }
}

/// Fields as JSON texts, spelled as the test spells them.
struct SpelledRecord: RecordFields {
  let fields: [String: String]

  func withField<Result: ~Copyable>(_ name: String, _ body: (JSONTape, Span<UInt8>) -> Result) -> Result? {
    guard let text = fields[name].map({ Array($0.utf8) }), let tape = try? JSONTape(scanning: text.span) else {
      return nil
    }
    return body(tape, text.span)
  }
}

func shown(_ module: String, _ fields: [String: String]) throws -> (title: String, content: String) {
  let module = try #require(InputModule.named(module))
  var (title, content) = (KeptBytes(), KeptBytes())
  module.writeTitle(of: SpelledRecord(fields: fields), to: &title)
  module.writeContent(of: SpelledRecord(fields: fields), to: &content)
  return (try #require(title.text), try #require(content.text))
}

func quoted(_ text: String) -> String { JSONValue.string(text).compactText() }

@Suite("What is shown of a record")
struct FormattingTests {
  @Test("Modules are found by their exact name, and each lies in a table of its own app")
  func map() {
    #expect(
      InputModule.all.map(\.name) == ["notes", "tasks", "todo", "calendar", "journal", "kontext", "profile", "goals"])
    #expect(InputModule.named("Notes") == nil && InputModule.named("") == nil && InputModule.named("notes ") == nil)
    #expect(InputModule.all.filter { !$0.needsGrant }.map(\.name) == ["goals"])
    #expect(InputModule.named("kontext")?.fields == ["content"])
    #expect(InputModule.named("todo")?.fields == ["title", "status", "description", "dueDate"])
    #expect(InputModule.named("profile")?.fields.contains("leisure") == false)
    #expect(InputModule.named("profile")?.fields.contains("title") == false)
  }

  @Test("A text of as many units as fit stays whole, one more unit costs its end", arguments: [499, 500, 501, 502])
  func cut(_ units: Int) throws {
    let text = String(repeating: "ä", count: units)
    let content = try shown("notes", ["content": quoted(text)]).content
    #expect(content == (units <= 500 ? text : String(text.prefix(500)) + "…"))
  }

  @Test("A character of two units that would be cut is left out as a whole, in text, escapes and JSON")
  func surrogates() throws {
    for emoji in ["😀", #"\ud83d\ude00"#] {
      let whole = try shown("notes", ["content": "\"\(String(repeating: "a", count: 498))\(emoji)\""]).content
      #expect(whole.utf16.count == 500 && whole.hasSuffix("😀"))
      let cut = try shown("notes", ["content": "\"\(String(repeating: "a", count: 499))\(emoji)b\""]).content
      #expect(cut == String(repeating: "a", count: 499) + "…")
      let json = try shown("notes", ["content": "[\"\(String(repeating: "a", count: 497))\(emoji)\"]"]).content
      #expect(json == "[\"" + String(repeating: "a", count: 497) + "…")
    }
  }

  @Test("An escape that is cut is cut between its characters, as the text itself would be")
  func cutEscapes() throws {
    let json = try shown("notes", ["content": "[\"\(String(repeating: "a", count: 495))\\u0001\"]"]).content
    #expect(json == "[\"" + String(repeating: "a", count: 495) + #"\u0"# + "…")
  }

  @Test("What the planner gets is valid UTF-8 wherever the cut falls")
  func everyCut() throws {
    for lead in 0...8 {
      let text = String(repeating: "x", count: lead) + String(repeating: "é😀€\u{10FFFF}", count: 100)
      let content = try shown("notes", ["content": quoted(text)]).content
      #expect((500...501).contains(content.utf16.count) && text.hasPrefix(content.dropLast()))
    }
  }

  @Test("JSON is written as JavaScript writes what it has read")
  func json() throws {
    let spelled =
      #"{ "b" : [ 1.0, true, null ], "10":1, "9":"\/\u00e9\u001f\n", "b":{"01":0,"":2}, "a":1e999 }"#
    #expect(
      try shown("notes", ["content": spelled]).content
        == #"{"9":"/é\u001f\n","10":1,"b":{"01":0,"":2},"a":null}"#)
    #expect(try shown("notes", ["content": "[1.0,-0,1E3,1e-7,12e20,0.10]"]).content == "[1,0,1000,1e-7,1.2e+21,0.1]")
    #expect(try shown("notes", ["content": "0.0"]).content == "0")
    #expect(try shown("notes", ["content": "null"]).content == "\"\"")
  }

  @Test("Keys that are one key when their escapes are read are one key")
  func escapedKeys() throws {
    #expect(try shown("notes", ["content": #"{"a":1,"b":2,"\u0061":3}"#]).content == #"{"a":3,"b":2}"#)
    let equivalents = "{\"\u{E9}\":1,\"e\u{301}\":2}"
    #expect(Array(try shown("notes", ["content": equivalents]).content.utf8) == Array(equivalents.utf8))
    #expect(try shown("goals", ["target": #"{"\u0076alue":1,"value":7}"#]).content.contains("/ 7 ("))
  }

  @Test("A record of very many keys costs no square of them")
  func manyKeys() throws {
    let keys = (0..<50_000).map { "\"k\($0)\":0" }.joined(separator: ",")
    let content = try shown("notes", ["content": "{\(keys),\"k0\":1}"]).content
    #expect(content.hasPrefix(#"{"k0":1,"k1":0"#) && content.utf16.count == 501)
  }

  @Test("Numbers of up to fifteen digits are spelled as a double of them would be")
  func numbers() throws {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<4_000 {
      let digits = Int.random(in: 1...15, using: &generator)
      let mantissa = (0..<digits).map { _ in String(Int.random(in: 0...9, using: &generator)) }.joined()
      let fraction = Int.random(in: 0...digits, using: &generator)
      let (whole, rest) = (mantissa.dropLast(fraction), mantissa.suffix(fraction))
      let number = whole.drop { $0 == "0" }
      var text = (Bool.random(using: &generator) ? "-" : "") + (number.isEmpty ? "0" : String(number))
      if !rest.isEmpty { text += "." + rest }
      if Bool.random(using: &generator) { text += "e\(Int.random(in: -280...280, using: &generator))" }
      let value = try JSONValue(parsing: text)
      let expected = try #require(value.number).javaScriptText
      #expect(try shown("goals", ["currentValue": text]).content.hasPrefix("Fortschritt: \(expected) / "), "\(text)")
    }
  }

  @Test("More digits than a double holds stay, and what JavaScript wrote stays as it was")
  func longNumbers() throws {
    for text in [
      "0.30000000000000004", "1.7976931348623157e+308", "5e-324", "123456789012345680000", "9007199254740993",
    ] {
      #expect(try shown("goals", ["currentValue": text]).content.hasPrefix("Fortschritt: \(text) / "))
    }
    #expect(try shown("goals", ["currentValue": "-1e400"]).content.hasPrefix("Fortschritt: -Infinity / "))
    #expect(try shown("goals", ["currentValue": "1e-400"]).content.hasPrefix("Fortschritt: 0 / "))
  }

  @Test("A title is the record's own text, however long and even if empty; otherwise the module's word")
  func titles() throws {
    #expect(try shown("notes", ["title": "\"\""]).title == "")
    #expect(try shown("notes", ["title": "5"]).title == "Notiz")
    #expect(try shown("notes", [:]).title == "Notiz")
    #expect(try shown("goals", ["title": "null"]).title == "Goal")
    #expect(try shown("goals", ["title": "5"]).title == "5")
    let long = String(repeating: "😀", count: 3_000)
    #expect(try shown("journal", ["title": quoted(long)]).title == long)
    #expect(try shown("profile", ["title": "\"x\""]).title == "Nutzerprofil")
  }

  @Test("Only the fields that a rule names are read")
  func onlyNamedFields() throws {
    let secret = ["leisure": "\"s3cret\"", "systemPrompt": "\"s3cret\"", "id": "\"s3cret\""]
    for module in InputModule.all {
      let out = try shown(module.name, secret)
      #expect(!out.title.contains("s3cret") && !out.content.contains("s3cret"))
    }
  }
}
