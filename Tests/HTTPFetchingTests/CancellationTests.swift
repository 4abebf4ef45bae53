// Cancelling: in every phase the call ends at once, and the server sees its connection end.

import HTTPFetching
import HTTPSupport
import Testing

@Suite("Cancellation")
struct CancellationTests {
  /// Starts a call, cancels it when the server has come to `phase`, and waits until the server has seen the end.
  private func cancelled(
    during phase: @escaping @Sendable (borrowing RawConnection) -> Void
  ) async throws -> Outcome {
    let (reached, ended) = (Signal(), Signal())
    let server = try RawServer { connection in
      phase(connection)
      reached.fire()
      connection.waitForEnd()
      ended.fire()
    }
    let made = try request(server) { $0.limits.total = .seconds(300) }
    let client = try HTTPClient()
    let call = Task { await Outcome.of(client, made) }
    await reached.wait()
    call.cancel()
    let outcome = await call.value
    // Only then may the client go: it is the cancellation that closes the connection.
    await ended.wait()
    withExtendedLifetime(client) {}
    return outcome
  }

  @Test("Before the answer, in its header, and in its body")
  func phases() async throws {
    #expect(try await cancelled { _ = $0.readRequest() } == .failure(.cancelled))
    #expect(
      try await cancelled {
        _ = $0.readRequest()
        $0.send("HTTP/1.1 200 OK\r\nX-Half: ")
      } == .failure(.cancelled))
    #expect(
      try await cancelled {
        _ = $0.readRequest()
        $0.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
      } == .failure(.cancelled))
  }

  @Test("In the middle of the handshake")
  func handshake() async throws {
    let (reached, ended) = (Signal(), Signal())
    let server = try RawServer { connection in
      reached.fire()
      connection.waitForEnd()
      ended.fire()
    }
    let client = try HTTPClient()
    let made = try request(server) { $0.url = try HTTPURL("https://127.0.0.1:\(server.port)/") }
    let call = Task { await Outcome.of(client, made) }
    await reached.wait()
    call.cancel()
    #expect(await call.value == .failure(.cancelled))
    await ended.wait()
    withExtendedLifetime(client) {}
  }

  @Test("While it waits for a free connection, the call before it goes on")
  func queued() async throws {
    let (reached, gate) = (Signal(), Gate())
    let server = try RawServer { connection in
      while connection.readRequest() != nil {
        reached.fire()
        gate.pass()
        connection.send(answer(200, "x"))
      }
    }
    var configuration = HTTPConfiguration()
    configuration.mostConnectionsPerHost = 1
    let client = try HTTPClient(configuration)
    let made = try request(server)
    let first = Task { await Outcome.of(client, made) }
    await reached.wait()
    let second = Task { await Outcome.of(client, made) }
    second.cancel()
    #expect(await second.value == .failure(.cancelled))
    gate.open()
    #expect(await first.value == .answer(200, "x"))
    #expect(server.requests.count == 1)
  }

  @Test("Between two attempts")
  func betweenAttempts() async throws {
    let server = try RawServer(answering: answer(503))
    let asleep = Signal()
    let time = HTTPTime(
      now: { ContinuousClock.now },
      sleep: { _ in
        asleep.fire()
        try await Task.sleep(for: .seconds(3600))
      }, jitter: { $0 })
    let client = try HTTPClient(time: time)
    let made = try request(server) { $0.retries = HTTPRetries(upTo: 5) }
    let call = Task { await Outcome.of(client, made) }
    await asleep.wait()
    call.cancel()
    #expect(await call.value == .failure(.cancelled))
    #expect(server.requests.count == 1)
  }

  @Test("A task that was cancelled before it called sends nothing")
  func early() async throws {
    let server = try RawServer(answering: answer())
    let client = try HTTPClient()
    let made = try request(server)
    let call = Task {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      return await Outcome.of(client, made)
    }
    #expect(await call.value == .failure(.cancelled))
    #expect(server.requests.isEmpty)
    #expect(await Outcome.of(client, made) == .answer(200, ""))
  }

  @Test("Of a thousand calls at once, half of them cancelled somewhere on their way, every one ends, and rightly")
  func crowd() async throws {
    let server = try RawServer(answering: answer(200, "x"))
    var configuration = HTTPConfiguration()
    configuration.mostConnectionsPerHost = 8
    let client = try HTTPClient(configuration)
    let made = try request(server)
    let (answered, cancelled) = await withTaskGroup(of: Outcome.self) { group in
      for number in 1...1000 {
        group.addTask {
          let call = Task { await Outcome.of(client, made) }
          // Each yields another number of times first, so that calls are met in every state.
          if number.isMultiple(of: 2) {
            for _ in 0..<(number % 40) { await Task.yield() }
            call.cancel()
          }
          return await call.value
        }
      }
      var counts = (0, 0)
      for await outcome in group {
        if outcome == .answer(200, "x") { counts.0 += 1 }
        if outcome == .failure(.cancelled) { counts.1 += 1 }
      }
      return counts
    }
    #expect(answered + cancelled == 1000)
    #expect(answered >= 500)
    #expect(await Outcome.of(client, made) == .answer(200, "x"))
  }

  @Test("Closing the client ends its calls and refuses further ones")
  func closing() async throws {
    let reached = Signal()
    let server = try RawServer { connection in
      _ = connection.readRequest()
      reached.fire()
      connection.waitForEnd()
    }
    let client = try HTTPClient()
    let made = try request(server)
    let call = Task { await Outcome.of(client, made) }
    await reached.wait()
    client.close()
    #expect(await call.value == .failure(.closed))
    #expect(await Outcome.of(client, made) == .failure(.closed))
  }
}
