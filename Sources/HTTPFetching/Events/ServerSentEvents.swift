// A stream's events, one by one, no faster than they are read.

extension HTTPStream {
  package var isEventStream: Bool {
    guard let type = headers["content-type"] else { return false }
    return type.lowercased().split(separator: ";").first?.filter { $0 != " " } == "text/event-stream"
  }

  /// `longestEvent` in bytes, lines of comment included.
  package func events(longestEvent: Int = 1 << 20) -> ServerSentEvents {
    ServerSentEvents(stream: self, longestEvent: longestEvent)
  }
}

/// To be iterated once: there is one connection behind it.
package struct ServerSentEvents: AsyncSequence, Sendable {
  package typealias Failure = HTTPFailure

  let stream: HTTPStream
  let longestEvent: Int

  package func makeAsyncIterator() -> Iterator {
    Iterator(stream: stream, parser: EventParser(longestEvent: longestEvent))
  }

  package struct Iterator: AsyncIteratorProtocol {
    let stream: HTTPStream
    var parser: EventParser
    /// Out of one part of the stream, so never many.
    private var ready: ArraySlice<ServerSentEvent> = []

    init(stream: HTTPStream, parser: EventParser) {
      self.stream = stream
      self.parser = parser
    }

    package mutating func next() async throws(HTTPFailure) -> ServerSentEvent? {
      while ready.isEmpty {
        guard let part = try await stream.next() else { return nil }
        do throws(HTTPFailure) {
          ready = try parser.take(part.span)[...]
        } catch {
          stream.cancel()
          throw error
        }
      }
      return ready.removeFirst()
    }

    package mutating func next(isolation actor: isolated (any Actor)?) async throws(HTTPFailure) -> ServerSentEvent? {
      try await next()
    }
  }
}
