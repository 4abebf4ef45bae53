// Forgiving base64: what is accepted decodes to the same bytes however it is spelled.

import Contracts
import Harness

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe withInput(start, count) { text in
    let compact = [UInt8](bytes: text).filter { ![0x09, 0x0A, 0x0C, 0x0D, 0x20].contains($0) }
    let decoded = Base64.decodeForgiving(text)
    demand(Base64.decodeForgiving(compact.span) == decoded, "white space changes nothing")
    demand(isAllowed(compact) == (decoded != nil), "exactly the texts that the rules allow are accepted")
    guard let decoded else {
      demand(Base64.decodeStrict(text) == nil, "what forgiving refuses, strict refuses")
      return
    }
    let written = Array(Base64.encode(decoded.span).utf8)
    demandRoundTrip(decoded, written: written, "what is written decodes to the same") { Base64.decodeForgiving($0) }
    demand(Base64.decodeStrict(written.span) == decoded, "what is written is strict")
    let letters = compact.count { $0 != 0x3D }
    demand(decoded.count == letters * 3 / 4, "every four letters are three bytes")
    demand(compact.prefix(decoded.count / 3 * 4).elementsEqual(written.prefix(decoded.count / 3 * 4)), "whole groups")

    var memory = [UInt8](repeating: 0xEE, count: Base64.decodedBytes(atMost: text.count))
    var output = memory.mutableSpan
    demand(Base64.decodeForgiving(text, into: &output) == decoded.count, "decoding into memory gives the same count")
    demand(memory.prefix(decoded.count).elementsEqual(decoded), "decoding into memory gives the same bytes")
  }
}

/// The rules of `atob` for a text without white space, said once more.
private func isAllowed(_ compact: [UInt8]) -> Bool {
  var letters = compact[...]
  if compact.count % 4 == 0 {
    if letters.last == 0x3D { letters.removeLast() }
    if letters.last == 0x3D, letters.count % 4 == 3 { letters.removeLast() }
  }
  guard letters.count % 4 != 1 else { return false }
  return letters.allSatisfy { letter in
    switch letter {
    case 0x41...0x5A, 0x61...0x7A, 0x30...0x39, 0x2B, 0x2F: true
    default: false
    }
  }
}
