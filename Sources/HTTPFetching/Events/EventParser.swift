// Server-sent events as the HTML standard reads them (section 9.2.6), from bytes that come in any pieces.

package struct ServerSentEvent: Sendable, Equatable {
  /// `message` where the server names none.
  package var type: String
  package var data: String
  /// The last id that the server gave, in this event or before.
  package var lastEventID: String
  /// How long a reader should wait before it connects again, the last time the server said so.
  package var retryMilliseconds: Int?
}

struct EventParser: Sendable {
  private let longestEvent: Int
  private var line: [UInt8] = []
  private var data: [UInt8] = []
  private var hasData = false
  private var type: [UInt8] = []
  private var lastID: [UInt8] = []
  private var retry: Int?
  /// Bytes since the last event, whatever they were.
  private var size = 0
  private var isFirstLine = true
  /// The line ended with CR; an LF now belongs to it.
  private var mayEndTwice = false

  init(longestEvent: Int) { self.longestEvent = longestEvent }

  /// The events that these bytes complete. An event at the end without its empty line is never told, as the standard
  /// says: it may have been cut.
  mutating func take(_ bytes: Span<UInt8>) throws(HTTPFailure) -> [ServerSentEvent] {
    var events: [ServerSentEvent] = []
    for index in bytes.indices {
      let byte = bytes[index]
      if mayEndTwice {
        mayEndTwice = false
        if byte == 0x0A { continue }
      }
      switch byte {
      case 0x0D, 0x0A:
        mayEndTwice = byte == 0x0D
        if let event = endLine() { events.append(event) }
      default:
        size += 1
        guard size <= longestEvent else { throw .eventTooLarge }
        line.append(byte)
      }
    }
    return events
  }

  private mutating func endLine() -> ServerSentEvent? {
    defer { line.removeAll(keepingCapacity: true) }
    if isFirstLine {
      isFirstLine = false
      if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
    }
    guard !line.isEmpty else { return dispatch() }
    let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
    var value = line[min(colon + 1, line.endIndex)...]
    if value.first == 0x20 { value.removeFirst() }
    // A line that begins with a colon has no name and is a comment.
    switch String(decoding: line[..<colon], as: UTF8.self) {
    case "data":
      if hasData { data.append(0x0A) }
      data += value
      hasData = true
    case "event": type = Array(value)
    case "id": if !value.contains(0) { lastID = Array(value) }
    case "retry": if let milliseconds = Self.number(value) { retry = milliseconds }
    default: break
    }
    return nil
  }

  private mutating func dispatch() -> ServerSentEvent? {
    defer {
      data.removeAll(keepingCapacity: true)
      hasData = false
      type = []
      size = 0
    }
    guard hasData else { return nil }
    return ServerSentEvent(
      type: type.isEmpty ? "message" : String(decoding: type, as: UTF8.self),
      data: String(decoding: data, as: UTF8.self), lastEventID: String(decoding: lastID, as: UTF8.self),
      retryMilliseconds: retry)
  }

  /// Digits only; more of them than an Int holds is no number.
  private static func number(_ text: ArraySlice<UInt8>) -> Int? {
    guard !text.isEmpty, text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(String(decoding: text, as: UTF8.self))
  }
}
