// Keys from a document on the web, on real sockets and on a clock that only the test moves.

import HTTPFetching
import HTTPSupport
import Synchronization
import Testing

@testable import Identity

@Suite("Keys from the web")
struct KeySourceTests {
  /// A source whose document a test changes; nil hangs up.
  final class Source: Sendable {
    let watch = Watch()
    let keys: KeySetURL
    let server: RawServer
    let judge: Judge
    let client: HTTPClient

    init(_ text: String?, before: @escaping @Sendable (Int) -> Void = { _ in }) throws {
      let document = Document(text)
      self.held = document
      let server = try RawServer { connection in
        while connection.readRequest() != nil {
          before(connection.index)
          guard let text = document.text.withLock({ $0 }), connection.send(answer(200, text)) else { return }
        }
      }
      self.server = server
      let fake = HTTPTime(now: watch.now, sleep: { _ in }, jitter: { $0 })
      client = try HTTPClient(time: fake)
      let failures = Failures()
      noted = failures
      // A test may stand still for half a minute on a busy machine, while its gate is shut.
      keys = KeySetURL(
        try HTTPURL(server.url("/api/auth/jwks")), client: client, rules: .init(), longestFetch: .seconds(300),
        now: watch.now, failed: { failures.add($0) })
      judge = Judge(keys)
    }

    private let held: Document
    private let noted: Failures
    var failed: [HTTPFailure?] { noted.all }
    func publish(_ text: String?) { held.text.withLock { $0 = text } }
    /// How often the document was asked for.
    var count: Int { server.requests.count }
  }

  final class Document: Sendable {
    let text: Mutex<String?>
    init(_ text: String?) { self.text = Mutex(text) }
  }

  final class Failures: Sendable {
    private let list = Mutex<[HTTPFailure?]>([])
    func add(_ failure: HTTPFailure?) { list.withLock { $0.append(failure) } }
    var all: [HTTPFailure?] { list.withLock { $0 } }
  }

  @Test("The document is asked for once, and again when it is ten minutes old")
  func cached() async throws {
    let signer = try Signer("k")
    let source = try Source(keySet(signer.jwk))
    for _ in 1...5 { #expect(await source.judge.verdict(try signer.token()) == "user-1") }
    #expect(source.count == 1)
    source.watch.pass(.seconds(599))
    #expect(await source.judge.verdict(try signer.token()) == "user-1")
    #expect(source.count == 1)
    source.watch.pass(.seconds(1))
    #expect(await source.judge.verdict(try signer.token()) == "user-1")
    #expect(source.count == 2)
    #expect(source.server.requests.last?.line == "GET /api/auth/jwks HTTP/1.1")
  }

  @Test("An unknown id asks again, at most every thirty seconds, however many ask")
  func cooldown() async throws {
    let (old, new) = (try Signer("old"), try Signer("new"))
    let source = try Source(keySet(old.jwk))
    #expect(await source.judge.verdict(try new.token()) == "unknown-key")
    #expect(source.count == 1)
    source.publish(keySet(old.jwk, new.jwk))
    for _ in 1...10 { #expect(await source.judge.verdict(try new.token()) == "unknown-key") }
    source.watch.pass(.seconds(29))
    #expect(await source.judge.verdict(try new.token()) == "unknown-key")
    #expect(source.count == 1)
    source.watch.pass(.seconds(1))
    #expect(await source.judge.verdict(try new.token()) == "user-1")
    #expect(await source.judge.verdict(try old.token()) == "user-1")
    #expect(source.count == 2)
  }

  @Test("A key that was taken back is believed for ten minutes and no longer")
  func takenBack() async throws {
    let (old, new) = (try Signer("old"), try Signer("new"))
    let source = try Source(keySet(old.jwk))
    #expect(await source.judge.verdict(try old.token()) == "user-1")
    source.publish(keySet(new.jwk))
    source.watch.pass(.seconds(600))
    #expect(await source.judge.verdict(try old.token()) == "unknown-key")
    #expect(await source.judge.verdict(try new.token()) == "user-1")
    source.publish(keySet())
    source.watch.pass(.seconds(600))
    #expect(await source.judge.verdict(try new.token()) == "unknown-key")
  }

  @Test("While the source is down old keys serve for a day, and it is asked every thirty seconds")
  func outage() async throws {
    let signer = try Signer("k")
    let source = try Source(keySet(signer.jwk))
    #expect(await source.judge.verdict(try signer.token()) == "user-1")
    source.publish(nil)
    source.watch.pass(.seconds(3600))
    let before = source.count
    for _ in 1...5 { #expect(await source.judge.verdict(try signer.token()) == "user-1") }
    // One asking is three attempts, and the first found the kept connection dead, which counts for nothing.
    #expect(source.count == before + 4)
    #expect(source.failed == [.interrupted])
    source.watch.pass(.seconds(30))
    #expect(await source.judge.verdict(try signer.token()) == "user-1")
    #expect(source.count == before + 7)
    source.watch.pass(.seconds(86_400 - 3600 - 30))
    #expect(await source.judge.verdict(try signer.token()) == "no-keys")
    source.publish(keySet(signer.jwk))
    #expect(await source.judge.verdict(try signer.token()) == "no-keys")
    source.watch.pass(.seconds(30))
    #expect(await source.judge.verdict(try signer.token()) == "user-1")
  }

  @Test("A source that was never there lets nobody in, and is asked every thirty seconds")
  func neverThere() async throws {
    let signer = try Signer("k")
    let source = try Source(nil)
    for _ in 1...5 { #expect(await source.judge.verdict(try signer.token()) == "no-keys") }
    #expect(source.count == 3)
    source.publish(keySet(signer.jwk))
    source.watch.pass(.seconds(30))
    #expect(await source.judge.verdict(try signer.token()) == "user-1")
  }

  @Test("A document that will not do is like none, and old keys stay")
  func badDocument() async throws {
    let signer = try Signer("k")
    let source = try Source(keySet(signer.jwk))
    #expect(await source.judge.verdict(try signer.token()) == "user-1")
    let tooMany = #"{"keys":[\#(Array(repeating: "{}", count: 65).joined(separator: ","))]}"#
    for text in ["", "<html>", "{}", keySet() + String(repeating: " ", count: 70_000), tooMany] {
      source.publish(text)
      source.watch.pass(.seconds(600))
      #expect(await source.judge.verdict(try signer.token()) == "user-1")
    }
    #expect(source.failed == [nil, nil, nil, .bodyTooLarge, nil])
  }

  @Test("Anything but 200 is no document, a redirect least of all")
  func statuses() async throws {
    let signer = try Signer("k")
    for status in [201, 204, 301, 302, 400, 404, 500] {
      let server = try RawServer(answering: answer(status, keySet(signer.jwk), headers: ["Location: /"]))
      let client = try HTTPClient()
      let keys = KeySetURL(
        try HTTPURL(server.url()), client: client, rules: .init(), longestFetch: .seconds(300), now: Watch().now,
        failed: { _ in })
      let judge = Judge(keys)
      #expect(await judge.verdict(try signer.token()) == "no-keys", "\(status)")
      #expect(server.requests.count == 1)
    }
  }

  @Test("Many who come at once are one asking")
  func singleFlight() async throws {
    let signer = try Signer("k")
    let (asked, gate) = (Signal(), Gate())
    let source = try Source(keySet(signer.jwk)) { _ in
      asked.fire()
      gate.pass()
    }
    let token = try signer.token()
    let verdicts = await withTaskGroup(of: String.self) { group in
      for _ in 1...50 { group.addTask { await source.judge.verdict(authorization: "Bearer " + token) } }
      await asked.wait()
      gate.open()
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(verdicts == Array(repeating: "user-1", count: 50))
    #expect(source.count == 1)
  }

  @Test("While a slow source is asked, whoever has a known key does not wait")
  func slow() async throws {
    let signer = try Signer("k")
    let (asked, gate) = (Signal(), Gate())
    let count = Mutex(0)
    let source = try Source(keySet(signer.jwk)) { _ in
      let isSecond = count.withLock { count in
        count += 1
        return count == 2
      }
      guard isSecond else { return }
      asked.fire()
      gate.pass()
    }
    #expect(await source.judge.verdict(try signer.token()) == "user-1")
    source.watch.pass(.seconds(600))
    let token = try signer.token()
    let first = Task { await source.judge.verdict(token) }
    await asked.wait()
    let second = Judge(source.keys)
    #expect(await second.verdict(token) == "user-1")
    gate.open()
    #expect(await first.value == "user-1")
    #expect(source.count == 2)
  }

  @Test("Who asks and hangs up begins no second asking: the first one is ended, for everybody")
  func cancelled() async throws {
    let signer = try Signer("k")
    let (asked, gate) = (Signal(), Gate())
    let source = try Source(keySet(signer.jwk)) { _ in
      asked.fire()
      gate.pass()
    }
    let token = try signer.token()
    let first = Task { await source.judge.verdict(token) }
    await asked.wait()
    first.cancel()
    // Each comes while the one asking is under way, and goes away at once.
    let others = (0..<20).map { _ in Task { await Judge(source.keys).verdict(token) } }
    for other in others { other.cancel() }
    let patient = Task { await Judge(source.keys).verdict(token) }
    gate.open()
    #expect(await first.value == "no-keys")
    for other in others { _ = await other.value }
    #expect(await patient.value == "user-1")
    #expect(source.count == 1)
  }

  @Test("Hanging up again and again does not wear out the source of keys")
  func hangingUp() async throws {
    let source = try Source(keySet(try Signer("k").jwk))
    #expect(await source.judge.verdict(try Signer("unknown").token()) == "unknown-key")
    source.watch.pass(.seconds(30))
    for _ in 0..<50 {
      let token = try Signer("unknown").token()
      let guess = Task { await Judge(source.keys).verdict(token) }
      guess.cancel()
      _ = await guess.value
    }
    #expect(source.count == 2)
  }
}
