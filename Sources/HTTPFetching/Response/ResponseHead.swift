// Reads status and header lines as they come, and refuses what two readers could read in two ways: libcurl is as
// lenient as a browser's network stack, and this client talks to services.

struct ResponseHead: Sendable {
  enum Step: Equatable { case more, complete }

  private(set) var status = 0
  private(set) var headers = HTTPHeaders()
  /// True behind the last line of the final answer; what comes then is trailers.
  private(set) var isComplete = false
  private(set) var contentLength: Int?
  private var received = 0
  private var isChunked = false
  private var hasStatus = false

  /// One line with its end, exactly as it came.
  mutating func take(_ line: Span<UInt8>, limit: Int) throws(HTTPFailure) -> Step {
    received += line.count
    guard received <= limit else { throw .headerTooLarge }
    if isComplete { return .more }
    var end = line.count
    if end > 0, line[end - 1] == 0x0A { end -= 1 }
    if end > 0, line[end - 1] == 0x0D { end -= 1 }
    guard hasStatus else {
      try takeStatus(line.extracting(first: end))
      return .more
    }
    guard end == 0 else {
      try takeField(line.extracting(first: end))
      return .more
    }
    guard status >= 200 else {
      // Interim answers only announce the real one, but their bytes keep counting, so that they too come to an end.
      let soFar = received
      self = ResponseHead()
      received = soFar
      return .more
    }
    if isChunked, contentLength != nil { throw .malformedResponse }
    isComplete = true
    return .complete
  }

  /// `HTTP/1.1 200 OK`; the words at the end are nobody's business.
  private mutating func takeStatus(_ line: Span<UInt8>) throws(HTTPFailure) {
    let version = Array("HTTP/1.".utf8)
    guard line.count >= 12, version.indices.allSatisfy({ line[$0] == version[$0] }),
      line[7] == UInt8(ascii: "0") || line[7] == UInt8(ascii: "1"), line[8] == 0x20,
      line.count == 12 || line[12] == 0x20
    else { throw .malformedResponse }
    var value = 0
    for index in 9..<12 {
      guard (0x30...0x39).contains(line[index]) else { throw .malformedResponse }
      value = value * 10 + Int(line[index] - 0x30)
    }
    // 101 would hand the connection to another protocol, which was not asked for.
    guard (100..<600).contains(value), value != 101 else { throw .malformedResponse }
    status = value
    hasStatus = true
  }

  private mutating func takeField(_ line: Span<UInt8>) throws(HTTPFailure) {
    var colon = 0
    while colon < line.count, HTTPText.isTokenByte(line[colon]) { colon += 1 }
    guard colon > 0, colon < line.count, line[colon] == UInt8(ascii: ":") else { throw .malformedResponse }
    var (start, end) = (colon + 1, line.count)
    while start < end, line[start] == 0x20 || line[start] == 0x09 { start += 1 }
    while end > start, line[end - 1] == 0x20 || line[end - 1] == 0x09 { end -= 1 }
    for index in start..<end where !HTTPText.isValueByte(line[index]) { throw .malformedResponse }
    let name = text(line, 0..<colon)
    let value = text(line, start..<end)
    switch name.lowercased() {
    case "content-length": try takeLength(value)
    case "transfer-encoding":
      // The only coding that was ever asked for, and only once.
      guard value.lowercased() == "chunked", !isChunked else { throw .malformedResponse }
      isChunked = true
    default: break
    }
    headers.append(name, value)
  }

  private mutating func takeLength(_ value: String) throws(HTTPFailure) {
    guard !value.isEmpty, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(value),
      contentLength == nil || contentLength == length
    else { throw .malformedResponse }
    contentLength = length
  }

  private func text(_ line: Span<UInt8>, _ range: Range<Int>) -> String {
    String(decoding: range.map { line[$0] }, as: UTF8.self)
  }
}
