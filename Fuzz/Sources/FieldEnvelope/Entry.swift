// Field envelopes: taken apart and put together they are the same, in v2 byte for byte; no version is read as another.

import Contracts
import Harness

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe withInput(start, count) { text in
    let version = FieldEnvelope.version(of: text)
    demand(version == nil || !FieldEnvelope.isOfUnknownVersion(text), "a version is known or not")
    let one = parse(text, .one)
    let two = parse(text, .two)
    demand(one == nil || version == .one, "only v1 is read as v1")
    demand(two == nil || version == .two, "only v2 is read as v2")
    if let one { look(one, .one) }
    if let two {
      look(two, .two)
      demandSame(two.text, [UInt8](bytes: text), "v2 is written with the same bytes")
      demand(parse(prefixed("enc:1:", text).span, .one)?.decoded == two.decoded, "v1 reads all that v2 reads")
    }
  }
}

private struct Parsed: Equatable {
  let decoded: [UInt8]
  let text: [UInt8]
}

private func parse(_ text: Span<UInt8>, _ version: FieldEnvelope.Version) -> Parsed? {
  guard let envelope = try? FieldEnvelope(parsing: text, as: version) else { return nil }
  let parsed = Parsed(decoded: [UInt8](bytes: envelope.decoded), text: Array(envelope.text.utf8))
  demand(envelope.version == version, "an envelope knows its version")
  demand(envelope.iv.count == FieldEnvelope.ivBytes, "an IV has twelve bytes")
  demand(parsed.decoded == [UInt8](bytes: envelope.iv) + [UInt8](bytes: envelope.sealed), "the parts are the whole")

  // The same once more into memory that held something else.
  let used = [UInt8](repeating: 0xEE, count: text.count % 97 * 3)
  guard let again = try? FieldEnvelope(parsing: text, as: version, reusing: used) else {
    demand(false, "memory decides nothing")
    return nil
  }
  demand([UInt8](bytes: again.decoded) == parsed.decoded, "used memory leaves no trace")
  return parsed
}

private func look(_ parsed: Parsed, _ version: FieldEnvelope.Version) {
  demandRoundTrip(parsed, written: parsed.text, "what is written is the same envelope") { parse($0, version) }
  let made = FieldEnvelope(
    version: version, iv: Array(parsed.decoded.prefix(12)), sealed: Array(parsed.decoded.dropFirst(12)))
  demand(Array(made.text.utf8) == parsed.text, "an envelope is made of its parts")
  demand(parse(prefixed("enc:2:", parsed.text.span).span, .two)?.decoded == parsed.decoded, "what is written is strict")
}

private func prefixed(_ prefix: String, _ text: Span<UInt8>) -> [UInt8] {
  Array(prefix.utf8) + [UInt8](bytes: text).dropFirst(6)
}
