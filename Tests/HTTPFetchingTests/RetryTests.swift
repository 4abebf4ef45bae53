// Asking again: what the server counts, and when, on time that only passes when somebody sleeps.

import HTTPSupport
import Synchronization
import Testing

@testable import HTTPFetching

@Suite("Asking again")
struct RetryTests {
  /// Answers the first requests with these texts, and all further ones with the last; "" hangs up.
  private func server(_ answers: [String]) throws -> RawServer {
    let count = Mutex(0)
    return try RawServer { connection in
      while connection.readRequest() != nil {
        let index = count.withLock { count in
          count += 1
          return count - 1
        }
        let text = answers[min(index, answers.count - 1)]
        guard !text.isEmpty, connection.send(text) else { return }
      }
    }
  }

  private func client(_ fake: FakeTime) throws -> HTTPClient { try HTTPClient(time: fake.time) }

  @Test("An idempotent call is repeated until it is answered, with pauses that double")
  func repeated() async throws {
    let server = try server([answer(503), answer(502), answer(429), answer(200, "at last")])
    let fake = FakeTime()
    let made = try request(server) { $0.retries = HTTPRetries(upTo: 5) }
    #expect(await Outcome.of(try client(fake), made) == .answer(200, "at last"))
    #expect(server.requests.count == 4)
    #expect(fake.pauses.withLock { $0 } == [.milliseconds(100), .milliseconds(200), .milliseconds(400)])
  }

  @Test("When attempts are used up, the last answer is the result")
  func usedUp() async throws {
    let server = try server([answer(503, "full")])
    let made = try request(server) { $0.retries = HTTPRetries(upTo: 2) }
    #expect(await Outcome.of(try client(FakeTime()), made) == .answer(503, "full"))
    #expect(server.requests.count == 3)
  }

  @Test("Unless asked, nothing is repeated; and a POST only if its caller says it may be")
  func notRepeated() async throws {
    for (method, isIdempotent, retries, count) in [
      (HTTPMethod.get, true, 0, 1), (.post, false, 3, 1), (.patch, false, 3, 1), (.post, true, 3, 4),
      (.put, true, 3, 4),
      (.delete, true, 3, 4), (.get, false, 3, 1),
    ] {
      let server = try server([answer(503)])
      let made = try request(server, method) {
        $0.retries = HTTPRetries(upTo: retries)
        $0.isIdempotent = isIdempotent
      }
      #expect(await Outcome.of(try client(FakeTime()), made) == .answer(503, ""))
      #expect(server.requests.count == count, "\(method) \(isIdempotent) \(retries)")
    }
  }

  @Test("An answer that will not change is not asked for again", arguments: [200, 204, 400, 401, 404, 409, 500, 501])
  func finalAnswers(status: Int) async throws {
    let server = try server([answer(status)])
    let made = try request(server) { $0.retries = HTTPRetries(upTo: 3) }
    #expect(await Outcome.of(try client(FakeTime()), made) == .answer(status, ""))
    #expect(server.requests.count == 1)
  }

  @Test("A broken connection is tried again, a broken answer is not")
  func failures() async throws {
    let hangingUp = try server(["", "", answer(200, "there")])
    let patient = try request(hangingUp) { $0.retries = HTTPRetries(upTo: 3) }
    #expect(await Outcome.of(try client(FakeTime()), patient) == .answer(200, "there"))
    #expect(hangingUp.requests.count == 3)
    let lying = try server(["nonsense\r\n\r\n"])
    let made = try request(lying) { $0.retries = HTTPRetries(upTo: 3) }
    #expect(await Outcome.of(try client(FakeTime()), made) == .failure(.malformedResponse))
    #expect(lying.requests.count == 1)
  }

  @Test("A server that asks for a pause gets it, up to a cap")
  func retryAfter() async throws {
    let fake = FakeTime()
    let modest = try server([answer(503, "", headers: ["Retry-After: 7"]), answer(200, "x")])
    let made = try request(modest) { $0.retries = HTTPRetries(upTo: 3) }
    #expect(await Outcome.of(try client(fake), made) == .answer(200, "x"))
    #expect(fake.pauses.withLock { $0 } == [.seconds(7)])
    let greedy = try server([answer(503, "", headers: ["Retry-After: 21"]), answer(200, "x")])
    let other = try request(greedy) {
      $0.retries = HTTPRetries(upTo: 3)
      $0.limits.total = .seconds(600)
    }
    #expect(await Outcome.of(try client(FakeTime()), other) == .answer(503, ""))
    #expect(greedy.requests.count == 1)
  }

  @Test("No pause leads beyond the deadline of the call")
  func deadline() async throws {
    let server = try server([answer(503, "full", headers: ["Retry-After: 9"])])
    let made = try request(server) {
      $0.retries = HTTPRetries(upTo: 100)
      $0.limits.total = .seconds(20)
    }
    let fake = FakeTime()
    #expect(await Outcome.of(try client(fake), made) == .answer(503, "full"))
    #expect(fake.pauses.withLock { $0 } == [.seconds(9), .seconds(9)])
    #expect(server.requests.count == 3)
  }

  @Test("A POST on a connection that dies is sent once, though libcurl would send it again")
  func deadConnection() async throws {
    for (method, count) in [(HTTPMethod.post, 2), (.get, 3)] {
      let server = try RawServer { connection in
        _ = connection.readRequest()
        connection.send(answer(200, "first"))
        // The second request on the first connection is read, and perhaps done, but never answered.
        if connection.index == 1 { _ = connection.readRequest() }
      }
      let client = try HTTPClient()
      #expect(await Outcome.of(client, try request(server)) == .answer(200, "first"))
      let second = await Outcome.of(client, try request(server, method, body: method == .post ? "pay" : nil))
      #expect(second == (method == .post ? .failure(.interrupted) : .answer(200, "first")))
      #expect(server.requests.count == count)
    }
  }

  @Test("The plan: jitter is bounded, pauses are capped, and no number of attempts overflows")
  func plan() {
    let retries = HTTPRetries(upTo: 100)
    func next(_ number: Int, jitter: @escaping (Duration) -> Duration) -> Duration? {
      let step = retries.next(
        after: .init(
          number: number, isIdempotent: true, failure: .interrupted, status: 0, retryAfter: .zero, remaining: nil),
        jitter: jitter)
      if case .pauseAndRepeat(let pause) = step { return pause }
      return nil
    }
    #expect(next(0) { _ in .zero } == .zero)
    #expect(next(0) { _ in .seconds(-5) } == .zero)
    #expect(next(0) { _ in .seconds(999) } == .milliseconds(100))
    #expect(next(99) { $0 } == .seconds(5))
    #expect(next(100) { $0 } == nil)
    for failure in [
      HTTPFailure.untrusted, .deadlinePassed, .tooSlow, .cancelled, .closed, .bodyTooLarge, .redirectRefused,
    ] {
      let step = retries.next(
        after: .init(
          number: 0, isIdempotent: true, failure: failure, status: 0, retryAfter: .zero, remaining: nil), jitter: { $0 }
      )
      #expect(step == .deliver)
    }
  }
}
