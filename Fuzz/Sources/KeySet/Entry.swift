// Documents of keys: what is taken out of one is taken out of its compact spelling too, and nothing weak is among it.

import Contracts
import Harness
import Identity

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe withInput(start, count) { input in
    guard let set = read(input) else { return }
    demand((0...KeySet.mostKeys).contains(set.count), "a set has its limit")
    guard let value = try? JSONValue(parsing: input, duplicateKeys: .refused), let list = value["keys"]?.array else {
      return demand(false, "a set is a JSON object with a list")
    }
    demand(set.count <= list.count, "no key comes from nowhere")
    demand(list.allSatisfy { $0["d"] == nil } || set.count < list.count, "no private key is one of a set")
    guard set.count > 0 else { return }
    demandRoundTrip(set, written: value.compactBytes(), "what is written is the same set") { read($0) }
  }
}

private func read(_ text: Span<UInt8>) -> KeySet? {
  do throws(KeySetProblem) {
    return try KeySet(parsing: text)
  } catch {
    demand(error != .tooLong || text.count > KeySet.longestDocument, "only long is too long")
    return nil
  }
}
