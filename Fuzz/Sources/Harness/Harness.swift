// What every fuzzer stands on: the input as a Span, a promise that ends the process when it is broken, and the
// negative control that shows that a broken promise is seen.

import Glibc

/// Lends the bytes that libFuzzer made. It calls with its own memory, which stays as it is until the call returns.
package func withInput(_ start: UnsafePointer<UInt8>?, _ count: Int, _ look: (Span<UInt8>) -> Void) -> CInt {
  unsafe look(Span(_unsafeElements: UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)))
  return 0
}

/// A promise of the parser under test. libFuzzer keeps the input of a process that ends here.
package func demand(_ holds: Bool, _ promise: StaticString) {
  guard !holds else { return }
  fatalError("broken promise: \(promise)")
}

/// Demands that what was accepted, written out and read again is the same. `read` reads what was written and gives
/// back nil where it is refused. With FUZZ_SELFTEST=1 one bit of what was written is turned over on the way, so a
/// fuzzer that compares nothing, or never gets this far, does not end and is found out by run.sh.
package func demandRoundTrip<Value: Equatable>(
  _ value: Value, written: [UInt8], _ promise: StaticString, read: (Span<UInt8>) -> Value?
) {
  var written = written
  if isSelfTest, !written.isEmpty { written[written.count / 2] ^= 0x04 }
  demand(read(written.span) == value, promise)
}

/// Demands that two byte strings are the same; under the control, one of them is changed first.
package func demandSame(_ left: [UInt8], _ right: [UInt8], _ promise: StaticString) {
  var left = left
  if isSelfTest, !left.isEmpty { left[left.count / 2] ^= 0x04 }
  demand(left == right, promise)
}

private let isSelfTest: Bool = unsafe getenv("FUZZ_SELFTEST").map { unsafe $0.pointee == 0x31 } ?? false

extension [UInt8] {
  package init(bytes span: Span<UInt8>) {
    self = []
    reserveCapacity(span.count)
    for index in span.indices { append(span[index]) }
  }
}
