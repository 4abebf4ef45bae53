// The positions a text is read through without being copied.

import Contracts
import Testing

@Suite("The tape of a JSON text")
struct JSONTapeTests {
  /// Walks a tape and writes what it finds; strings are quoted again, numbers and words copied from the text.
  private func walked(_ tape: JSONTape, _ index: Int, _ text: Span<UInt8>) -> String {
    let node = tape.nodes[index]
    var bytes: [UInt8] = []
    for offset in Int(node.start)..<Int(node.end) { bytes.append(text[offset]) }
    switch node.kind {
    case .null, .true, .false, .number: return String(decoding: bytes, as: UTF8.self)
    case .string: return JSONValue.string(tape.string(index, in: text)).compactText()
    case .array:
      return "[" + tape.children(of: index).map { walked(tape, $0, text) }.joined(separator: ",") + "]"
    case .object:
      let members = tape.children(of: index).map { walked(tape, $0, text) + ":" + walked(tape, $0 + 1, text) }
      return "{" + members.joined(separator: ",") + "}"
    }
  }

  @Test("A walk over the tape meets every member as it came, repeated keys included")
  func walk() throws {
    let text = Array(#" { "b" : [ 1.50 , "x\n" ] , "1" : { } , "b" : [ [ ] , null ] , "é" : true }"#.utf8)
    let tape = try JSONTape(scanning: text.span)
    #expect(walked(tape, 0, text.span) == #"{"b":[1.50,"x\n"],"1":{},"b":[[],null],"é":true}"#)
    #expect(Int(tape.nodes[0].next) == tape.nodes.count)
  }

  @Test("A container's bytes are its own text with its brackets, a string's are those between the quotes")
  func ranges() throws {
    let text = Array(#" [ {"a":"b\"c"} , 12 ] "#.utf8)
    let tape = try JSONTape(scanning: text.span)
    let found = tape.nodes.map { String(decoding: text[Int($0.start)..<Int($0.end)], as: UTF8.self) }
    #expect(found == [#"[ {"a":"b\"c"} , 12 ]"#, #"{"a":"b\"c"}"#, "a", #"b\"c"#, "12"])
    #expect(tape.nodes.map(\.kind) == [.array, .object, .string, .string, .number])
    #expect(tape.nodes.map(\.hasEscapes) == [false, false, false, true, false])
    #expect(tape.nodes.map { Int($0.next) } == [5, 4, 3, 4, 5])
  }

  @Test("A walk over the tape and a value built from it agree, over random texts without repeated keys")
  func agreesWithValue() throws {
    var generator = JSONGenerator(seed: 42)
    var looked = 0
    for _ in 0..<2000 {
      let text = generator.text()
      guard let value = try? JSONValue(parsing: text, duplicateKeys: .refused) else { continue }
      let bytes = Array(text.utf8)
      let tape = try JSONTape(scanning: bytes.span)
      let walk = walked(tape, 0, bytes.span)
      #expect(JSONValue(tape, in: bytes.span) == value)
      #expect(try json(walk) == value)
      looked += 1
    }
    #expect(looked > 1000)
  }

  @Test("Strings of every length around the scanner's blocks are read whole")
  func blocks() throws {
    for length in 0...200 {
      let plain = String(repeating: "x", count: length)
      #expect(try json("\"\(plain)\"").text == plain)
      #expect(try json("[\"\(plain)\\n\",\"\(plain)é\"]").texts == [plain + "\n", plain + "é"])
      #expect(throws: JSONProblem.syntax(offset: length + 1)) { try json("\"\(plain)\n\"") }
      #expect(throws: JSONProblem.syntax(offset: length + 1)) { try json("\"\(plain)") }
    }
  }

  // What ends a run, its neighbours in the code, and bytes whose difference from them borrows.
  @Test("A byte that ends a run of ordinary ones is found wherever it stands and whatever stands around it")
  func runs() throws {
    var random = SeededRandom(seed: 64)
    let ordinary: [[UInt8]] = [
      [0x20], [0x21], [0x23], [0x5B], [0x5D], [0x7F], [0xC2, 0x80], [0xC2, 0xA2], [0xF4, 0x8F, 0xBF, 0xBF],
    ]
    for stop in [0x00, 0x01, 0x0A, 0x1F] as [UInt8] {
      for length in 0..<160 {
        var run: [UInt8] = []
        while run.count < length { run += ordinary.randomElement(using: &random) ?? [] }
        let whole = [0x22] + run + [0x22]
        #expect(try JSONValue(parsing: whole.span).text.map { Array($0.utf8) } == run)
        let broken = [0x22] + run + [stop] + run + [0x22]
        #expect(throws: JSONProblem.syntax(offset: 1 + run.count)) { try JSONValue(parsing: broken.span) }
        let ended = [0x22] + run + [0x22, 0x78]
        #expect(throws: JSONProblem.syntax(offset: 2 + run.count)) { try JSONValue(parsing: ended.span) }
        let escaped = [0x22] + run + Array(#"\n"#.utf8) + run + [0x22]
        #expect(try JSONValue(parsing: escaped.span).text.map { Array($0.utf8) } == run + [0x0A] + run)
      }
    }
  }

  @Test("A plain string is ASCII between two quotes without escapes, and its tape is the one the scanner makes")
  func plainStrings() throws {
    var random = SeededRandom(seed: 22)
    func isPlain(_ bytes: [UInt8]) -> Bool { JSONTape.isPlainString(bytes.span) }
    for length in 0...150 {
      let text = [0x22] + [UInt8](repeating: 0x7F, count: length) + [0x22]
      #expect(isPlain(text))
      let (short, scanned) = (JSONTape(plainStringOf: text.count).nodes, try JSONTape(scanning: text.span).nodes)
      #expect(short.map(\.kind) == scanned.map(\.kind))
      #expect(short.map { [$0.start, $0.end, $0.next] } == scanned.map { [$0.start, $0.end, $0.next] })
      #expect(short.map(\.hasEscapes) == [false])
      for wrong in [0x00, 0x1F, 0x22, 0x5C, 0x80, 0xFF] as [UInt8] where length > 0 {
        var changed = text
        changed[Int.random(in: 1...length, using: &random)] = wrong
        #expect(!isPlain(changed))
      }
    }
    for text in ["", "\"", "a", "aa", "\"a", "a\"", " \"a\"", "\"a\" ", "\"\"\"", "'a'", "12", "null"] {
      #expect(!isPlain(Array(text.utf8)))
    }
  }
}
