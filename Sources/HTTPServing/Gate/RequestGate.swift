// Decides on the raw bytes of a connection where each request ends, and refuses whatever two readers could read in two
// ways. evhttp, which is lenient, is given a request only when all of it has passed here: docs/decisions/0011.

/// Pure: bytes in, a verdict out. One request at a time; `next()` begins another.
struct RequestGate {
  enum Step: Equatable {
    case more
    /// The request ends with the bytes that were consumed.
    case whole
    case refused(Refusal)
  }

  /// Which deadline runs.
  enum Progress { case idle, head, body }

  private enum State {
    case requestLine, headers, fixedBody, chunkSize, chunkData, chunkEnd, end
  }

  private let limits: HTTPLimits
  private var state = State.requestLine
  private(set) var head = RequestHead()
  /// The beginning of a line whose end has not come yet.
  private var line: [UInt8] = []
  private var headBytes = 0
  private var bodyRest = 0
  private var bodyBytes = 0
  private var bodyLimit = 0

  init(limits: HTTPLimits) { self.limits = limits }

  mutating func next() {
    state = .requestLine
    head = RequestHead()
    line.removeAll(keepingCapacity: true)
    (headBytes, bodyRest, bodyBytes, bodyLimit) = (0, 0, 0, 0)
  }

  var progress: Progress {
    switch state {
    case .requestLine: headBytes == 0 ? .idle : .head
    case .headers: .head
    default: .body
    }
  }

  /// Consumes bytes up to the end of the request, at most. `limit` is asked once, when a body is announced.
  mutating func read(_ bytes: Span<UInt8>, limit: (RequestHead) -> Int) -> (consumed: Int, step: Step) {
    var position = 0
    while position < bytes.count {
      let step: Step
      switch state {
      case .fixedBody, .chunkData:
        let taken = min(bodyRest, bytes.count - position)
        position += taken
        bodyRest -= taken
        if bodyRest > 0 { return (position, .more) }
        if state == .fixedBody { return (position, finish()) }
        state = .chunkEnd
        step = .more
      default:
        step = readLine(bytes, &position, limit: limit)
      }
      if step != .more { return (position, step) }
    }
    return (position, .more)
  }

  // MARK: Lines

  private mutating func readLine(_ bytes: Span<UInt8>, _ position: inout Int, limit: (RequestHead) -> Int) -> Step {
    let start = position
    var end = start
    while end < bytes.count, bytes[end] != RequestBytes.lineFeed { end += 1 }
    let isComplete = end < bytes.count
    position = isComplete ? end + 1 : end
    if let refusal = count(position - start) { return .refused(refusal) }
    guard isComplete else {
      append(bytes.extracting(start..<end))
      return .more
    }
    if line.isEmpty { return take(bytes.extracting(start..<end), limit: limit) }
    append(bytes.extracting(start..<end))
    let whole = line
    line.removeAll(keepingCapacity: true)
    return take(whole.span, limit: limit)
  }

  private mutating func append(_ part: Span<UInt8>) {
    for index in part.indices { line.append(part[index]) }
  }

  /// Lines may grow to their limit and no further, whether their end has come or not.
  private mutating func count(_ bytes: Int) -> Refusal? {
    switch state {
    case .requestLine, .headers:
      headBytes += bytes
      if state == .requestLine, headBytes > limits.targetBytes + RequestHead.requestLineOverhead {
        return .targetTooLong
      }
      return headBytes > limits.headBytes ? .headersTooLarge : nil
    default:
      return line.count + bytes > RequestHead.longestChunkLine ? .chunk : nil
    }
  }

  /// A line without its line feed.
  private mutating func take(_ bytes: Span<UInt8>, limit: (RequestHead) -> Int) -> Step {
    guard !bytes.isEmpty, bytes[bytes.count - 1] == RequestBytes.carriageReturn else { return .refused(.lineEnding) }
    let text = bytes.extracting(0..<(bytes.count - 1))
    switch state {
    case .requestLine:
      if let refusal = head.readRequestLine(text, limits: limits) { return .refused(refusal) }
      state = .headers
      return .more
    case .headers:
      if text.isEmpty { return beginBody(limit: limit) }
      if let refusal = head.readHeader(text, limits: limits) { return .refused(refusal) }
      return .more
    case .chunkSize: return beginChunk(text)
    case .chunkEnd:
      guard text.isEmpty else { return .refused(.chunk) }
      state = .chunkSize
      return .more
    case .end:
      // evhttp would take trailer fields for headers.
      return text.isEmpty ? finish() : .refused(.trailer)
    case .fixedBody, .chunkData: return .refused(.chunk)
    }
  }

  // MARK: Body

  private mutating func beginBody(limit: (RequestHead) -> Int) -> Step {
    if let refusal = head.check() { return .refused(refusal) }
    guard head.isChunked || (head.contentLength ?? 0) > 0 else { return finish() }
    bodyLimit = min(limit(head), limits.largestBodyBytes)
    if head.isChunked {
      state = .chunkSize
      return .more
    }
    bodyRest = head.contentLength ?? 0
    guard bodyRest <= bodyLimit else { return .refused(.bodyTooLarge) }
    state = .fixedBody
    return .more
  }

  /// Hexadecimal digits and nothing else: extensions are a second language in which lengths could be hidden.
  private mutating func beginChunk(_ text: Span<UInt8>) -> Step {
    guard !text.isEmpty, text.count <= RequestHead.longestChunkSize else { return .refused(.chunk) }
    var size = 0
    for index in text.indices {
      guard let digit = RequestBytes.hexValue(text[index]) else { return .refused(.chunk) }
      size = size << 4 | Int(digit)
    }
    guard size > 0 else {
      state = .end
      return .more
    }
    bodyBytes += size
    guard bodyBytes <= bodyLimit else { return .refused(.bodyTooLarge) }
    bodyRest = size
    state = .chunkData
    return .more
  }

  private mutating func finish() -> Step {
    state = .end
    return .whole
  }
}
