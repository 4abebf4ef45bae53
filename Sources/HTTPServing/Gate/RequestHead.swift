// What the gate must know of a request's head to tell where the request ends, and what it refuses on the way.

struct RequestHead {
  /// The longest method, two spaces, the version and the end of the line.
  static let requestLineOverhead = 32
  /// 8 hexadecimal digits: 4 GiB, beyond every limit, and far from an overflow.
  static let longestChunkSize = 8
  static let longestChunkLine = longestChunkSize + 2

  private(set) var method = HTTPMethod.get
  private(set) var target: [UInt8] = []
  private(set) var contentLength: Int?
  private(set) var isChunked = false
  private(set) var expectsContinue = false
  /// The client asked for it, as one token among others perhaps, which evhttp would not see.
  private(set) var asksToClose = false
  private var isVersion10 = false
  private var hosts = 0
  private var headers = 0

  // MARK: Request line

  mutating func readRequestLine(_ line: Span<UInt8>, limits: HTTPLimits) -> Refusal? {
    var spaces: [Int] = []
    for index in line.indices where line[index] == RequestBytes.space { spaces.append(index) }
    guard spaces.count == 2, let methodEnd = spaces.first, let targetEnd = spaces.last else { return .requestLine }
    let (name, path) = (line.extracting(0..<methodEnd), line.extracting((methodEnd + 1)..<targetEnd))
    let version = line.extracting((targetEnd + 1)..<line.count)
    guard !name.isEmpty, all(name, RequestBytes.isToken) else { return .requestLine }
    if let refusal = readVersion(version) { return refusal }
    guard let method = HTTPMethod.named(name) else { return .method }
    self.method = method
    guard path.count <= limits.targetBytes else { return .targetTooLong }
    // Origin form alone: this is no proxy, and `//` would begin an authority.
    guard path.count > 0, path[0] == slash, path.count == 1 || path[1] != slash else { return .target }
    guard all(path, RequestBytes.isTarget) else { return .target }
    target.reserveCapacity(path.count)
    for index in path.indices { target.append(path[index]) }
    return nil
  }

  /// `HTTP` is case-sensitive.
  private mutating func readVersion(_ text: Span<UInt8>) -> Refusal? {
    if equal(text, "HTTP/1.1") { return nil }
    isVersion10 = equal(text, "HTTP/1.0")
    if isVersion10 { return nil }
    return text.count > 5 && equal(text.extracting(0..<5), "HTTP/") ? .version : .requestLine
  }

  private func equal(_ bytes: Span<UInt8>, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    return text.withUTF8Buffer { other in
      for index in bytes.indices where unsafe bytes[index] != other[index] { return false }
      return true
    }
  }

  // MARK: Headers

  mutating func readHeader(_ line: Span<UInt8>, limits: HTTPLimits) -> Refusal? {
    headers += 1
    guard headers <= limits.headerCount else { return .headersTooLarge }
    guard line[0] != RequestBytes.space, line[0] != RequestBytes.tab else { return .foldedHeader }
    var colon = 0
    while colon < line.count, line[colon] != UInt8(ascii: ":") {
      // A space before the colon is where smuggling began.
      guard RequestBytes.isToken(line[colon]) else { return .headerName }
      colon += 1
    }
    guard colon > 0, colon < line.count else { return .headerName }
    var (start, end) = (colon + 1, line.count)
    while start < end, isBlank(line[start]) { start += 1 }
    while end > start, isBlank(line[end - 1]) { end -= 1 }
    let (name, value) = (line.extracting(0..<colon), line.extracting(start..<end))
    for index in value.indices where !RequestBytes.isValue(value[index]) {
      return value[index] == RequestBytes.carriageReturn ? .lineEnding : .headerValue
    }
    return weigh(name, value)
  }

  /// The few that decide where the request ends, or to whom it is.
  private mutating func weigh(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Refusal? {
    switch name.count {
    case 4 where RequestBytes.equal(name, lowercase: "host"):
      hosts += 1
      guard hosts == 1, !value.isEmpty, all(value, RequestBytes.isHost) else { return .host }
    case 6 where RequestBytes.equal(name, lowercase: "expect"):
      guard !expectsContinue, RequestBytes.equal(value, lowercase: "100-continue") else { return .expectation }
      expectsContinue = true
    case 10 where RequestBytes.equal(name, lowercase: "connection"):
      asksToClose = asksToClose || contains(value, token: "close")
    case 14 where RequestBytes.equal(name, lowercase: "content-length"):
      guard contentLength == nil, let length = decimal(value) else { return .contentLength }
      contentLength = length
    case 17 where RequestBytes.equal(name, lowercase: "transfer-encoding"):
      guard !isChunked, RequestBytes.equal(value, lowercase: "chunked") else { return .transferEncoding }
      isChunked = true
    default: break
    }
    return nil
  }

  /// What only the whole head can show.
  func check() -> Refusal? {
    if hosts == 0 && !isVersion10 { return .host }
    if isChunked && (contentLength != nil || isVersion10) { return .transferEncoding }
    // evhttp does not read the body of these methods: it would take it for the next request.
    if !method.mayHaveBody && (isChunked || (contentLength ?? 0) > 0) { return .bodyNotAllowed }
    return nil
  }

  /// Digits alone, no sign and no list, within what fits.
  private func decimal(_ text: Span<UInt8>) -> Int? {
    guard !text.isEmpty, text.count <= 18 else { return nil }
    var number = 0
    for index in text.indices {
      guard RequestBytes.isDigit(text[index]) else { return nil }
      number = number * 10 + Int(text[index] - 0x30)
    }
    return number
  }

  private func contains(_ list: Span<UInt8>, token: StaticString) -> Bool {
    var start = 0
    while start < list.count {
      var end = start
      while end < list.count, list[end] != UInt8(ascii: ",") { end += 1 }
      var (first, last) = (start, end)
      while first < last, isBlank(list[first]) { first += 1 }
      while last > first, isBlank(list[last - 1]) { last -= 1 }
      if RequestBytes.equal(list.extracting(first..<last), lowercase: token) { return true }
      start = end + 1
    }
    return false
  }

  private func isBlank(_ byte: UInt8) -> Bool { byte == RequestBytes.space || byte == RequestBytes.tab }

  private func all(_ bytes: Span<UInt8>, _ test: (UInt8) -> Bool) -> Bool {
    for index in bytes.indices where !test(bytes[index]) { return false }
    return true
  }

  private var slash: UInt8 { UInt8(ascii: "/") }
}
