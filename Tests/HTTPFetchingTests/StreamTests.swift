// Answers that are read while they come: event by event, no faster than the reader, and ended with him.

import HTTPSupport
import Synchronization
import Testing

@testable import HTTPFetching

@Suite("A stream")
struct StreamTests {
  private static let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"

  @Test("Each event is there before the next one is sent")
  func oneByOne() async throws {
    let gate = Gate()
    let server = try RawServer { connection in
      _ = connection.readRequest()
      connection.send(Self.head)
      for number in 1...5 {
        gate.pass()
        connection.send("data: \(number)\n\n")
      }
    }
    let stream = try await HTTPClient().stream(request(server))
    #expect(stream.status == 200)
    #expect(stream.isEventStream)
    gate.open()
    var seen: [String] = []
    for try await event in stream.events() {
      seen.append(event.data)
      gate.open()
    }
    #expect(seen == ["1", "2", "3", "4", "5"])
  }

  @Test("Of forty megabytes that pass through a buffer of sixty-four kilobytes, nothing is lost")
  func backPressure() async throws {
    let line = "data: " + String(repeating: "x", count: 1000) + "\n\n"
    let server = try RawServer { connection in
      _ = connection.readRequest()
      connection.send(Self.head)
      for _ in 1...40_000 { guard connection.send(line) else { break } }
    }
    let made = try request(server) {
      $0.limits.bodyBytes = 100 << 20
      $0.limits.total = nil
    }
    let stream = try await HTTPClient().stream(made)
    var (count, longest, rest) = (0, 0, 0)
    while let part = try await stream.next() {
      longest = max(longest, part.count)
      count += part.count
      rest += part.count { $0 == UInt8(ascii: "x") }
    }
    #expect(count == 40_000 * line.utf8.count)
    #expect(rest == 40_000_000)
    #expect(longest <= StreamBuffer.room)
  }

  @Test("The buffer takes no more than its room, says so to the reader, and takes what it refused when it comes again")
  func room() async throws {
    let buffer = StreamBuffer()
    let part = [UInt8](repeating: 7, count: 16 << 10)
    let taken = (1...5).map { _ in buffer.append(part.span) }
    #expect(taken == [true, true, true, true, false])
    let first = try #require(try await buffer.next().get())
    #expect(first.bytes.count == StreamBuffer.room && first.wasPaused)
    let isTaken = buffer.append(part.span)
    #expect(isTaken)
    let second = try #require(try await buffer.next().get())
    #expect(second.bytes == part && !second.wasPaused)
    buffer.end(with: nil)
    #expect(try await buffer.next().get() == nil)
  }

  @Test("An event without end is cut at the cap, and the server is hung up on")
  func endlessEvent() async throws {
    let ended = Signal()
    let server = try RawServer { connection in
      _ = connection.readRequest()
      connection.send(Self.head)
      while connection.send("data: more and more\n") {}
      ended.fire()
    }
    let client = try HTTPClient()
    let stream = try await client.stream(request(server) { $0.limits.bodyBytes = 1 << 30 })
    var failure: HTTPFailure?
    do throws(HTTPFailure) {
      for try await _ in stream.events(longestEvent: 10_000) { Issue.record("there is no event") }
    } catch {
      failure = error
    }
    #expect(failure == .eventTooLarge)
    await ended.wait()
    withExtendedLifetime(client) {}
  }

  @Test("A reader who leaves, and one who is cancelled, end the transfer")
  func leaving() async throws {
    for isCancelled in [false, true] {
      let ended = Signal()
      let server = try RawServer { connection in
        _ = connection.readRequest()
        connection.send(Self.head + "data: 1\n\n")
        connection.waitForEnd()
        ended.fire()
      }
      let client = try HTTPClient()
      let made = try request(server) { $0.limits.total = nil }
      let first = Signal()
      let reader = Task { () -> HTTPFailure? in
        do throws(HTTPFailure) {
          for try await _ in try await client.stream(made).events() {
            first.fire()
            if !isCancelled { break }
          }
          return nil
        } catch {
          return error
        }
      }
      await first.wait()
      if isCancelled { reader.cancel() }
      #expect(await reader.value == (isCancelled ? .cancelled : nil))
      await ended.wait()
      withExtendedLifetime(client) {}
    }
  }

  @Test("A stream that breaks says so; one that ends says that")
  func endings() async throws {
    for (tail, failure) in [("5\r\nhello\r\n0\r\n\r\n", HTTPFailure?.none), ("5\r\nhello\r\n", .interrupted)] {
      let server = try RawServer { connection in
        _ = connection.readRequest()
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + tail)
      }
      let stream = try await HTTPClient().stream(request(server))
      #expect(!stream.isEventStream)
      do throws(HTTPFailure) {
        #expect(try await stream.collect() == Array("hello".utf8))
        #expect(failure == nil)
      } catch {
        #expect(error == failure)
      }
    }
  }

  @Test("The cap of the body holds for a stream")
  func cap() async throws {
    let server = try RawServer { connection in
      _ = connection.readRequest()
      connection.send(Self.head)
      while connection.send("data: x\n\n") {}
    }
    let stream = try await HTTPClient().stream(request(server) { $0.limits.bodyBytes = 100_000 })
    await #expect(throws: HTTPFailure.bodyTooLarge) { for try await _ in stream.events() {} }
  }

  @Test("Until its head is there, a stream is asked for again like any call")
  func retries() async throws {
    let server = try RawServer { connection in
      while connection.readRequest() != nil {
        connection.send(connection.index < 3 ? answer(503) : answer(200, "data: x\n\n"))
        if connection.index < 3 { return }
      }
    }
    let fake = FakeTime()
    let made = try request(server) { $0.retries = HTTPRetries(upTo: 3) }
    let stream = try await HTTPClient(time: fake.time).stream(made)
    #expect(stream.status == 200)
    #expect(server.requests.count == 3)
    #expect(fake.pauses.withLock { $0.count } == 2)
  }

  @Test("An answer that fails before its head fails the call")
  func noHead() async throws {
    let server = try RawServer { _ = $0.readRequest() }
    await #expect(throws: HTTPFailure.interrupted) { _ = try await HTTPClient().stream(request(server)) }
  }
}
