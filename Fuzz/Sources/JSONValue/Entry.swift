// JSON: what is accepted is written compactly and reads back as the same value; tape and value agree.

import Contracts
import Harness

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe withInput(start, count) { text in
    guard let value = accepted(text) else {
      demand(!JSONTape.isPlainString(text), "a plain string is JSON")
      return
    }
    let written = value.compactBytes()
    demandRoundTrip(value, written: written, "what is written is the same value") { try? JSONValue(parsing: $0) }
    demandRoundTrip(written, written: written, "what is written is written again with the same bytes") { text in
      (try? JSONValue(parsing: text))?.compactBytes()
    }
    let spelled = value.compactBytes(numbers: .javaScript)
    demand((try? JSONValue(parsing: spelled.span))?.compactBytes() == spelled, "JavaScript's spelling is JSON")
    demand(
      (try? JSONValue(parsing: spelled.span))?.compactBytes(numbers: .javaScript) == spelled, "… and a fixed point")
    if let strict = try? JSONValue(parsing: text, duplicateKeys: .refused) {
      demand(strict == value, "without repeated keys both ways of reading are one")
    }
    tape(text, value)
    numbers(value)
  }
}

private func accepted(_ text: Span<UInt8>) -> JSONValue? {
  do throws(JSONProblem) {
    return try JSONValue(parsing: text)
  } catch {
    switch error {
    case .syntax(let offset), .loneSurrogate(let offset):
      demand((0...text.count).contains(offset), "reading stops inside the text")
      demand(UTF8Text.isValid(text), "the syntax of valid UTF-8 only is looked at")
    case .invalidUTF8: demand(!UTF8Text.isValid(text), "valid UTF-8 is not called invalid")
    case .tooDeep: demand(text.count >= JSONTape.maximumDepth, "depth needs brackets")
    case .tooLong, .duplicateKey: demand(false, "nobody asked for that")
    }
    return nil
  }
}

private func tape(_ text: Span<UInt8>, _ value: JSONValue) {
  guard let tape = try? JSONTape(scanning: text) else { return demand(false, "a value has a tape") }
  demand(JSONValue(tape, in: text) == value, "a tape holds the value")
  demand(
    tape.nodes.indices.allSatisfy { index in
      let node = tape.nodes[index]
      return 0 <= node.start && node.start <= node.end && Int(node.end) <= text.count && Int(node.next) > index
        && Int(node.next) <= tape.nodes.count
    }, "every node lies in the text")
  guard JSONTape.isPlainString(text) else { return }
  let plain = JSONTape(plainStringOf: text.count)
  demand(plain.nodes.count == 1 && tape.nodes.count == 1, "a plain string is one node")
  demand(plain.string(0, in: text) == tape.string(0, in: text), "a plain string is its own bytes")
}

private func numbers(_ value: JSONValue) {
  switch value {
  case .number(let number):
    let double = number.double
    demand(!double.isNaN, "a number is one")
    guard double.isFinite else { return }
    demand(Double(number.javaScriptText) == double, "JavaScript's spelling is the same double")
    if let integer = number.integer, abs(double) < 9e15 {
      demand(Double(integer) == double, "an integer is its double")
    }
  case .array(let elements): elements.forEach(numbers)
  case .object(let object): object.members.forEach { numbers($0.value) }
  case .null, .bool, .string: break
  }
}
