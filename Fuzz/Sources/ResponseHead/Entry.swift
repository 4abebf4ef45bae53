// The head of an answer: one that is taken is written and read as the same, and leaves no doubt about its body's length.

import Harness

@testable import HTTPFetching

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe withInput(start, count) { input in
    let bytes = [UInt8](bytes: input)
    guard let head = read(bytes, limit: 1024) else { return }
    demand((200..<600).contains(head.status), "only a final answer is one")
    let codings = head.headers.all("transfer-encoding")
    let lengths = head.headers.all("Content-Length")
    demand(codings.isEmpty || (codings.count == 1 && head.contentLength == nil), "a body has one length")
    demand(Set(lengths.map { Int($0) }) == (lengths.isEmpty ? [] : [head.contentLength]), "lengths agree")
    for field in head.headers.fields {
      demand(!field.name.isEmpty && field.name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x3A }, "a name is a token")
      demand(!field.value.utf8.contains { $0 == 0 || $0 == 0x0A || $0 == 0x0D }, "no value ends a line")
    }
    var text = "HTTP/1.1 \(head.status)\r\n"
    for field in head.headers.fields { text += "\(field.name): \(field.value)\r\n" }
    demandRoundTrip(spelled(head), written: Array((text + "\r\n").utf8), "what is written is the same head") { text in
      read([UInt8](bytes: text), limit: .max).map(spelled)
    }
  }
}

/// Nil unless these lines are a whole head; what follows it is not looked at.
private func read(_ bytes: [UInt8], limit: Int) -> ResponseHead? {
  var head = ResponseHead()
  var rest = bytes[...]
  while !rest.isEmpty {
    let end = rest.firstIndex(of: 0x0A).map { $0 + 1 } ?? rest.endIndex
    let line = Array(rest[..<end])
    rest = rest[end...]
    do throws(HTTPFailure) {
      guard try head.take(line.span, limit: limit) == .complete else { continue }
      demand(head.isComplete, "a head that is complete says so")
      return head
    } catch {
      demand(error == .malformedResponse || error == .headerTooLarge, "a head is refused for its form or its length")
      demand(error != .headerTooLarge || bytes.count > limit, "… and for its length only where it has one")
      return nil
    }
  }
  demand(!head.isComplete, "only an empty line completes a head")
  return nil
}

private func spelled(_ head: ResponseHead) -> String {
  "\(head.status) \(head.contentLength ?? -1) \(head.headers.fields)"
}
