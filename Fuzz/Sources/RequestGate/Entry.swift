// The HTTP server's gate: where a request ends and whether it is one do not depend on the pieces in which it comes, and
// what was let through has one length, however simply one reads it.

import Harness

@testable import HTTPServing

/// The first byte says how large the pieces are; the rest is what a client sends.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe withInput(start, count) { input in
    guard !input.isEmpty else { return }
    let bytes = [UInt8](bytes: input.extracting(droppingFirst: 1))
    let whole = transcript(of: bytes, pieces: bytes.count)
    for pieces in [1, 1 + Int(input[0] & 0x3F)] {
      demandSame(transcript(of: bytes, pieces: pieces), whole, "pieces do not change what was said")
    }
  }
}

/// Small, so that short inputs reach every one of them.
private let limits: HTTPLimits = {
  var limits = HTTPLimits()
  (limits.targetBytes, limits.headBytes, limits.headerCount) = (64, 384, 8)
  (limits.bodyBytes, limits.largestBodyBytes) = (96, 128)
  return limits
}()

/// What the gate says about these bytes, request by request, as text.
private func transcript(of bytes: [UInt8], pieces size: Int) -> [UInt8] {
  var gate = RequestGate(limits: limits)
  var text = "began "
  var (position, began) = (0, 0)
  while position < bytes.count {
    let end = min(position + max(size, 1), bytes.count)
    let (consumed, step) = gate.read(bytes.span.extracting(position..<end)) { _ in limits.bodyBytes }
    demand((0...(end - position)).contains(consumed), "nothing is consumed that was not there")
    position += consumed
    switch step {
    case .more: demand(position == end, "whoever wants more has taken all")
    case .refused(let reason): return Array((text + "refused \(reason.rawValue)").utf8)
    case .whole:
      look(at: Array(bytes[began..<position]), gate.head)
      text += "\(gate.head.method.rawValue) \(gate.head.target) \(gate.head.contentLength ?? -1) "
      text += "\(gate.head.isChunked) \(gate.head.expectsContinue) \(gate.head.asksToClose) to \(position); "
      gate.next()
      began = position
    }
  }
  return Array((text + "waits in \(gate.progress)").utf8)
}

/// A request that was let through, read again in the simplest way there is.
private func look(at request: [UInt8], _ head: RequestHead) {
  guard let body = request.indices.first(where: { request[$0...].starts(with: "\r\n\r\n".utf8) }).map({ $0 + 4 }) else {
    return demand(false, "a head ends with an empty line")
  }
  demand(body <= limits.headBytes, "a head has its limit")
  for index in 0..<body {
    demand(request[index] != 0x0A || (index > 0 && request[index - 1] == 0x0D), "no line ends with a bare line feed")
    demand(request[index] != 0x0D || request[index + 1] == 0x0A, "no carriage return stands alone")
    demand(request[index] < 0x7F && request[index] != 0, "a head is printable ASCII")
  }
  demand(head.target.first == UInt8(ascii: "/") && head.target.count <= limits.targetBytes, "a target is a path")
  demand(!head.target.starts(with: "//".utf8), "a target has no authority")
  demand(request.starts(with: (head.method.rawValue + " ").utf8), "the method is the one that came")
  let count = request.count - body
  demand(!head.isChunked || head.contentLength == nil, "a body has one length")
  demand(head.method.mayHaveBody || count == 0, "only three methods have a body")
  if head.isChunked {
    demand(request.reversed().starts(with: "0\r\n\r\n".utf8.reversed()), "the last chunk is empty and the end")
  } else {
    demand(count == head.contentLength ?? 0 && count <= limits.bodyBytes, "a body is as long as it was said to be")
  }
}
