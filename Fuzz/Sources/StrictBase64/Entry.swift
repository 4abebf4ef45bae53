// Strict base64 accepts exactly what is written, and nothing that the forgiving reader would read differently.

import Contracts
import Harness

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe withInput(start, count) { text in
    let bytes = [UInt8](bytes: text)
    let forgiven = Base64.decodeForgiving(text)
    guard let decoded = Base64.decodeStrict(text) else {
      demand(forgiven.map { Array(Base64.encode($0.span).utf8) != bytes } ?? true, "what is written is accepted")
      return
    }
    demand(forgiven == decoded, "strict is a part of forgiving, with equal results")
    let written = Array(Base64.encode(decoded.span).utf8)
    demandSame(written, bytes, "what is accepted is written with the same bytes")
    demandRoundTrip(decoded, written: written, "what is written decodes to the same") { Base64.decodeStrict($0) }
    inMemory(text, decoded)
  }
}

/// Into memory that is exactly as long as promised, and full of something else.
private func inMemory(_ text: Span<UInt8>, _ decoded: [UInt8]) {
  var memory = [UInt8](repeating: 0xEE, count: Base64.decodedBytes(atMost: text.count))
  var output = memory.mutableSpan
  let count = Base64.decodeStrict(text, into: &output)
  demand(count == decoded.count, "decoding into memory gives the same count")
  demand(memory.prefix(decoded.count).elementsEqual(decoded), "decoding into memory gives the same bytes")
}
