// Server-sent events, from bytes alone.

import Testing

@testable import HTTPFetching

@Suite("Events in bytes")
struct EventParserTests {
  private func parse(_ text: String, longest: Int = 1000) throws -> [ServerSentEvent] {
    var parser = EventParser(longestEvent: longest)
    let bytes = Array(text.utf8)
    return try parser.take(bytes.span)
  }

  private func event(
    _ data: String, type: String = "message", id: String = "", retry: Int? = nil
  ) -> ServerSentEvent {
    ServerSentEvent(type: type, data: data, lastEventID: id, retryMilliseconds: retry)
  }

  @Test("A line may end in LF, CR or CRLF", arguments: ["\n", "\r", "\r\n"])
  func lineEnds(end: String) throws {
    let text = "data: a" + end + end + "event: x" + end + "data: b" + end + "data: c" + end + end
    #expect(try parse(text) == [event("a"), event("b\nc", type: "x")])
  }

  @Test("However the bytes are cut into pieces, the events are the same")
  func pieces() throws {
    let text = Array(
      "\u{FEFF}: hello\r\ndata: a\r\ndata:  b\r\rid: 7\nretry: 250\ndata\n\nevent:e\rdata:ü\r\n\r\n".utf8)
    let expected = [event("a\n b"), event("", id: "7", retry: 250), event("ü", type: "e", id: "7", retry: 250)]
    for size in 1...text.count {
      var parser = EventParser(longestEvent: 100)
      var events: [ServerSentEvent] = []
      for start in stride(from: 0, to: text.count, by: size) {
        let piece = Array(text[start..<min(start + size, text.count)])
        events += try parser.take(piece.span)
      }
      #expect(events == expected, "\(size)")
    }
  }

  @Test("Only one mark of byte order is passed over, and only at the beginning")
  func byteOrderMark() throws {
    #expect(try parse("\u{FEFF}data: a\n\n") == [event("a")])
    #expect(try parse("\u{FEFF}\u{FEFF}data: a\n\n").isEmpty)
    #expect(try parse("data: a\n\n\u{FEFF}data: b\n\n") == [event("a")])
  }

  @Test("Comments, unknown fields and events without data are no events")
  func nothing() throws {
    #expect(try parse(": data: a\n\n:\n\nevent: x\n\nid: 1\n\nother: y\n\nDATA: z\n\n data: z\n\n").isEmpty)
  }

  @Test("A type holds for one event, an id until the next one, and an empty id takes it back")
  func state() throws {
    #expect(
      try parse("id: 1\nevent: x\ndata: a\n\ndata: b\n\nid\ndata: c\n\n")
        == [event("a", type: "x", id: "1"), event("b", id: "1"), event("c")])
  }

  @Test("An id with a NUL and a retry that is no number are ignored")
  func ignored() throws {
    #expect(
      try parse("id: 1\nid: a\u{0}b\nretry: 5s\nretry: -1\nretry:\nretry: 99999999999999999999\ndata: x\n\n")
        == [event("x", id: "1")])
    #expect(try parse("retry: 007\ndata: x\n\n") == [event("x", retry: 7)])
  }

  @Test("Exactly one space behind the colon is not part of the value")
  func space() throws { #expect(try parse("data:  a \n\ndata:\tb\n\n") == [event(" a "), event("\tb")]) }

  @Test("An event that was cut is not told")
  func cut() throws { #expect(try parse("data: a\n\ndata: b\n") == [event("a")]) }

  @Test("Wrong UTF-8 is replaced, not refused")
  func wrongText() throws {
    var parser = EventParser(longestEvent: 100)
    let bytes = Array("data: a".utf8) + [0xFF] + Array("\n\n".utf8)
    let events = try parser.take(bytes.span)
    #expect(events == [event("a\u{FFFD}")])
  }

  @Test("An event of the cap is taken, one byte more is not; comments and unknown fields count too")
  func cap() throws {
    #expect(try parse("data: " + String(repeating: "x", count: 94) + "\n\n", longest: 100).count == 1)
    for line in ["data: ", "data", ": ", "other: "] {
      #expect(throws: HTTPFailure.eventTooLarge) {
        try parse(line + String(repeating: "x", count: 101 - line.utf8.count), longest: 100)
      }
    }
    #expect(throws: HTTPFailure.eventTooLarge) {
      try parse(String(repeating: "data: x\n", count: 15), longest: 100)
    }
    #expect(try parse(String(repeating: "data: x\n\n", count: 500), longest: 100).count == 500)
  }
}
