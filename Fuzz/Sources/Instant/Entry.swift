// Instants: what is accepted is written in one form, and that form reads back as the same moment.

import Contracts
import Harness

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe withInput(start, count) { input in
    fromMilliseconds(input)
    let bytes = [UInt8](bytes: input)
    guard let instant = Instant(iso: String(decoding: bytes, as: UTF8.self)) else { return }
    demand(Instant.range.contains(instant), "what is accepted can be written")
    demand(bytes.allSatisfy { $0 < 0x80 }, "an instant is ASCII")
    let written = Array(instant.iso.utf8)
    demand(written.count == 24, "an instant is written with 24 characters")
    demandRoundTrip(instant, written: written, "what is written is the same moment") { text in
      Instant(iso: String(decoding: [UInt8](bytes: text), as: UTF8.self))
    }
    // The form we write says the same thing in one way only, but for the end of a day.
    let isOurForm = bytes.count == 24 && bytes.last == UInt8(ascii: "Z")
    if isOurForm, !bytes[11...12].elementsEqual("24".utf8) {
      demandSame(written, bytes, "our own form is written with the same bytes")
    }
  }
}

/// The first eight bytes as a moment, so that dates far from any seed are written and read too.
private func fromMilliseconds(_ input: Span<UInt8>) {
  guard input.count >= 8 else { return }
  var value: UInt64 = 0
  for index in 0..<8 { value = value << 8 | UInt64(input[index]) }
  let span = UInt64(Instant.range.upperBound.milliseconds - Instant.range.lowerBound.milliseconds) + 1
  let instant = Instant(milliseconds: Instant.range.lowerBound.milliseconds + Int64(value % span))
  demand(Instant(iso: instant.iso) == instant, "every moment in the range is written and read")
}
