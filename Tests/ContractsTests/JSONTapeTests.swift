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
}
