// Redirects: never unless asked, never far, and never with somebody else's secrets.

import Glibc
import HTTPFetching
import HTTPSupport
import Secrets
import Testing

@Suite("Redirects")
struct RedirectTests {
  private func redirect(to target: String, status: Int = 302) -> String {
    answer(status, "moved", headers: ["Location: \(target)"])
  }

  @Test("Unless asked, a redirect is the answer")
  func unasked() async throws {
    let server = try RawServer(answering: redirect(to: "/next"))
    #expect(try await Outcome.of(request(server)) == .answer(302, "moved"))
    #expect(server.requests.count == 1)
  }

  @Test("Asked, a GET follows; a POST does not")
  func asked() async throws {
    let server = try RawServer { connection in
      while let request = connection.readRequest() {
        let isNext = request.line.contains("/next")
        connection.send(isNext ? answer(200, "here") : answer(307, "moved", headers: ["Location: /next#part"]))
      }
    }
    #expect(try await Outcome.of(request(server) { $0.mostRedirects = 1 }) == .answer(200, "here"))
    let posted = try await Outcome.of(request(server, .post, body: "x") { $0.mostRedirects = 1 })
    #expect(posted == .answer(307, "moved"))
  }

  @Test("A loop ends after as many steps as were allowed")
  func loop() async throws {
    let server = try RawServer(answering: redirect(to: "/"))
    #expect(try await Outcome.of(request(server) { $0.mostRedirects = 5 }) == .failure(.tooManyRedirects))
    #expect(server.requests.count == 6)
  }

  @Test("Credentials stay with the origin they were given for")
  func credentials() async throws {
    let stranger = try RawServer(answering: answer(200, "stranger"))
    let server = try RawServer { connection in
      while let request = connection.readRequest() {
        let target = request.line.contains("/away") ? stranger.url("/x") : "/same"
        connection.send(
          request.line.contains("/same") ? answer(200, "same") : answer(302, "", headers: ["Location: \(target)"]))
      }
    }
    let key = Array("key".utf8)
    func call(_ path: String) async throws -> Outcome {
      var request = try request(server, path: path)
      request.mostRedirects = 1
      request.headers = [("Authorization", "Bearer a"), ("Cookie", "c=d"), ("X-Other", "kept")]
      request.credentials = [try HTTPCredential(header: "X-Service-Key", secret: SecretBytes(copying: key.span))]
      return try await Outcome.of(request)
    }
    #expect(try await call("/home") == .answer(200, "same"))
    #expect(server.requests.last?.header("x-service-key") == "key")
    #expect(server.requests.last?.header("authorization") == "Bearer a")
    #expect(try await call("/away") == .answer(200, "stranger"))
    let seen = try #require(stranger.requests.last)
    #expect(seen.header("x-other") == "kept")
    for name in ["authorization", "cookie", "x-service-key"] { #expect(seen.header(name) == nil) }
  }

  @Test(
    "A redirect to another kind of place is refused",
    arguments: ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "http://user:pw@127.0.0.1/"])
  func elsewhere(target: String) async throws {
    let server = try RawServer(answering: redirect(to: target))
    #expect(try await Outcome.of(request(server) { $0.mostRedirects = 3 }) == .failure(.redirectRefused))
    #expect(server.requests.count == 1)
  }

  @Test("A redirect that leads from a socket to another host is refused")
  func fromSocket() async throws {
    let path = socketPath()
    defer { unsafe unlink(path) }
    let server = try RawServer(unixSocket: path) { connection in
      _ = connection.readRequest()
      connection.send(answer(302, "", headers: ["Location: http://elsewhere/"]))
    }
    var request = HTTPRequest(.get, try HTTPURL("http://resolver/"))
    request.unixSocket = path
    request.mostRedirects = 2
    #expect(try await Outcome.of(request) == .failure(.redirectRefused))
    #expect(server.connections == 1)
  }
}
