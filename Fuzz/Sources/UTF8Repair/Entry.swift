// UTF-8 repair: what comes out is valid, valid text comes out as it went in, and Swift's own decoder agrees.

import Contracts
import Harness

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe withInput(start, count) { text in
    let bytes = [UInt8](bytes: text)
    var repaired: [UInt8] = []
    UTF8Text.repair(text) { repaired.append($0) }
    demand(UTF8Text.isValid(repaired.span), "what was repaired is valid")

    let swift = Array(String(decoding: bytes, as: UTF8.self).utf8)
    demand(UTF8Text.isValid(text) == (swift == bytes), "valid is what Swift's decoder leaves alone")
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let hasMark = bytes.starts(with: mark)
    demand(repaired.elementsEqual(swift.dropFirst(hasMark ? 3 : 0)), "repair is Swift's, without the mark")

    // A mark in front, so that one that was in the text stays there.
    demandRoundTrip(repaired, written: mark + repaired, "what was repaired is repaired to itself") { text in
      var again: [UInt8] = []
      UTF8Text.repair(text) { again.append($0) }
      return again
    }
  }
}
