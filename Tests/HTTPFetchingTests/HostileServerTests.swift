// Servers that lie, dawdle, flood and hang up; each ends in its own failure, or in an answer that is right.

import HTTPFetching
import HTTPSupport
import Testing

@Suite("A hostile server")
struct HostileServerTests {
  private func outcome(
    of script: @escaping @Sendable (borrowing RawConnection) -> Void, change: (inout HTTPRequest) -> Void = { _ in }
  ) async throws -> Outcome {
    let server = try RawServer { connection in
      _ = connection.readRequest()
      script(connection)
    }
    return try await Outcome.of(request(server, change: change))
  }

  // MARK: Time

  @Test("A header that never comes ends at the deadline")
  func slowHeader() async throws {
    let silent = try await outcome {
      $0.waitForEnd()
    } change: {
      $0.limits.total = .milliseconds(200)
    }
    #expect(silent == .failure(.deadlinePassed))
    let half = try await outcome {
      $0.send("HTTP/1.1 200 OK\r\nContent-Le")
      $0.waitForEnd()
    } change: {
      $0.limits.total = .milliseconds(200)
    }
    #expect(half == .failure(.deadlinePassed))
  }

  @Test("A body that stops in the middle ends at the deadline")
  func slowBody() async throws {
    let outcome = try await outcome {
      $0.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
      $0.waitForEnd()
    } change: {
      $0.limits.total = .milliseconds(200)
    }
    #expect(outcome == .failure(.deadlinePassed))
  }

  @Test("A silent answer is given up by the guard, long before the deadline")
  func silence() async throws {
    let outcome = try await outcome {
      $0.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
      $0.waitForEnd()
    } change: {
      $0.limits.silence = .seconds(1)
    }
    #expect(outcome == .failure(.tooSlow))
  }

  @Test("A handshake that never ends is cut by the limit for connecting")
  func slowHandshake() async throws {
    // It accepts, and never speaks TLS.
    let server = try RawServer { $0.waitForEnd() }
    var request = HTTPRequest(.get, try HTTPURL("https://127.0.0.1:\(server.port)/"))
    request.limits.connect = .milliseconds(200)
    #expect(try await Outcome.of(request) == .failure(.connectTimedOut))
  }

  @Test("Nobody listening is told apart from a broken answer")
  func nobody() async throws {
    let port = try RawServer { _ in }.port
    var request = HTTPRequest(.get, try HTTPURL("http://127.0.0.1:\(port)/"))
    // The listener's thread closes it a moment after the server is gone; whoever still got in is hung up on.
    let outcome = try await Outcome.of(request)
    #expect([.failure(.unreachable), .failure(.interrupted)].contains(outcome))
    request.url = try HTTPURL("http://name.invalid/")
    #expect(try await Outcome.of(request) == .failure(.unreachable))
  }

  // MARK: Size

  @Test("A body without end is cut at the cap, whether it announces itself or not")
  func endlessBody() async throws {
    let flood = String(repeating: "x", count: 16 << 10)
    for head in [
      "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 10995116277760\r\n\r\n",
    ] {
      let outcome = try await outcome {
        $0.send(head)
        let part = head.contains("chunked") ? "4000\r\n\(flood)\r\n" : flood
        while $0.send(part) {}
      } change: {
        $0.limits.bodyBytes = 100_000
      }
      #expect(outcome == .failure(.bodyTooLarge), "\(head)")
    }
  }

  @Test("A body of exactly the cap is taken, and one more byte is not")
  func exactCap() async throws {
    for (count, fits) in [(1000, true), (1001, false)] {
      let body = String(repeating: "y", count: count)
      for text in [answer(200, body), "HTTP/1.1 200 OK\r\n\r\n" + body] {
        let outcome = try await outcome {
          $0.send(text)
        } change: {
          $0.limits.bodyBytes = 1000
        }
        #expect(outcome == (fits ? .answer(200, body) : .failure(.bodyTooLarge)))
      }
    }
  }

  @Test("A header without end is cut at the cap: many lines, one line, interim answers, trailers")
  func endlessHeader() async throws {
    for (head, part) in [
      ("HTTP/1.1 200 OK\r\n", "X-Line: \(String(repeating: "z", count: 1000))\r\n"),
      ("HTTP/1.1 200 OK\r\nX-Line: ", String(repeating: "z", count: 1000)),
      ("", "HTTP/1.1 103 Early Hints\r\nLink: nothing\r\n\r\n"),
      (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        "X-Trailer: \(String(repeating: "z", count: 1000))\r\n"
      ),
    ] {
      let outcome = try await outcome {
        $0.send(head)
        while $0.send(part) {}
      }
      #expect(outcome == .failure(.headerTooLarge), "\(head) \(part.prefix(20))")
    }
  }

  // MARK: Length

  @Test("A body shorter than it was announced is a failure, however it ends")
  func shortBody() async throws {
    for text in [
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nshort",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n", "HTTP/1.1 200 OK\r\nContent-Le", "",
    ] {
      #expect(try await outcome { $0.send(text) } == .failure(.interrupted), "\(text)")
    }
  }

  @Test("A reset in the middle of a body is a failure")
  func reset() async throws {
    let outcome = try await outcome {
      $0.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
      $0.resetOnClose()
    }
    #expect(outcome == .failure(.interrupted))
  }

  @Test("What comes behind an answer belongs to no answer, and its connection is not used again")
  func longBody() async throws {
    let server = try RawServer { connection in
      while connection.readRequest() != nil {
        connection.send(answer(200, "right") + answer(200, "smuggled"))
      }
    }
    let client = try HTTPClient()
    for _ in 1...3 { #expect(await Outcome.of(client, try request(server)) == .answer(200, "right")) }
    #expect(server.connections == 3)
  }

  @Test(
    "An answer that two readers could read in two ways is refused",
    arguments: [
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
      "HTTP/1.1 200 OK\r\nX-A: b\r\n folded\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
      "HTTP/1.1 200 OK\r\nbad name: b\r\n\r\n", "HTTP/1.1 200 OK\r\nX-A: b\u{1}\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 999 OK\r\n\r\n", "HTTP/1.1 000 OK\r\n\r\n",
      "HTTP/1.1 101 Switching\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/0.9 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n",
      "hello there, this is not HTTP at all\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
    ])
  func ambiguous(text: String) async throws {
    #expect(try await outcome { $0.send(text) } == .failure(.malformedResponse))
  }

  @Test("Interim answers before the real one are passed over")
  func interim() async throws {
    let outcome = try await outcome {
      $0.send("HTTP/1.1 103 Early Hints\r\nContent-Length: 99\r\n\r\n" + answer(200, "real"))
    }
    #expect(outcome == .answer(200, "real"))
  }

  @Test("Two equal lengths are one, and chunks with trailers are read")
  func lenient() async throws {
    let twice = try await outcome {
      $0.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi")
    }
    #expect(twice == .answer(200, "hi"))
    let chunked = try await outcome {
      $0.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\nX-T: 1\r\n\r\n")
    }
    #expect(chunked == .answer(200, "hi"))
  }

  @Test("No failure says anything of the URL, the header or the body")
  func discretion() async throws {
    let server = try RawServer { connection in
      _ = connection.readRequest()
      connection.send("HTTP/1.1 200 OK\r\nX-Secret: hush\r\nContent-Length: 99\r\n\r\nhush")
    }
    let request = try request(server, path: "/hush?token=hush") { $0.headers = [("X-Hush", "hush")] }
    let outcome = try await Outcome.of(request)
    #expect(outcome == .failure(.interrupted))
    #expect(!"\(outcome)".contains("hush"))
    #expect(!"\(request.url)".contains("hush"))
  }
}
