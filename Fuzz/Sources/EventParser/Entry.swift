// Server-sent events: the pieces in which they come change nothing, and what was read is written and read as the same.

import Harness

@testable import HTTPFetching

/// The first byte says how large the pieces are; the rest is a stream.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe withInput(start, count) { input in
    guard !input.isEmpty else { return }
    let bytes = [UInt8](bytes: input.extracting(droppingFirst: 1))
    let whole = events(bytes, pieces: bytes.count, longest: 256)
    for pieces in [1, 1 + Int(input[0] & 0x3F)] {
      demand(events(bytes, pieces: pieces, longest: 256) == whole, "pieces do not change what was said")
    }
    guard let whole, !whole.isEmpty else { return }
    demand(whole.allSatisfy { !$0.type.isEmpty && $0.retryMilliseconds ?? 0 >= 0 }, "an event has a type")
    demandRoundTrip(whole, written: written(whole), "what is written is the same events") { text in
      events([UInt8](bytes: text), pieces: text.count, longest: .max)
    }
  }
}

/// Nil where an event was too long.
private func events(_ bytes: [UInt8], pieces size: Int, longest: Int) -> [ServerSentEvent]? {
  var parser = EventParser(longestEvent: longest)
  var events: [ServerSentEvent] = []
  var position = 0
  while position < bytes.count {
    let end = min(position + max(size, 1), bytes.count)
    do throws(HTTPFailure) {
      events += try parser.take(bytes.span.extracting(position..<end))
    } catch {
      demand(error == .eventTooLarge, "only length is refused")
      return nil
    }
    position = end
  }
  return events
}

private func written(_ events: [ServerSentEvent]) -> [UInt8] {
  var text = ""
  for event in events {
    if let retry = event.retryMilliseconds { text += "retry: \(retry)\n" }
    text += "id: \(event.lastEventID)\nevent: \(event.type)\n"
    for line in event.data.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
      text += "data: \(String(decoding: line, as: UTF8.self))\n"
    }
    text += "\n"
  }
  return Array(text.utf8)
}
