// `mandate-dev auth` as a developer runs it: the built program, real sockets, and a service's own look at its tokens.

import Contracts
import Foundation
import HTTPFetching
import HTTPSupport
import Identity
import ServiceRuntime
import Synchronization
import Testing

@testable import Development

@Suite("mandate-dev auth")
struct AuthServerTests {
  private static let program = Bundle.main.bundleURL.appending(path: "mandate-dev").path

  /// The program while it serves.
  private final class Running {
    let child: Child
    let port: Int
    let said: String
    private(set) var password = ""

    init(_ arguments: String...) throws {
      child = try Child([program, "auth", "--listen", "127.0.0.1:0"] + arguments, readsErrors: true)
      var (said, port) = ("", 0)
      while let line = child.readLine() {
        said += line + "\n"
        let words = line.split(separator: " ").map(String.init)
        if words.first == "address" { port = words.last?.split(separator: ":").last.flatMap { Int($0) } ?? 0 }
        // The last line of the greeting.
        if words.first == "password" {
          password = words.last ?? ""
          break
        }
      }
      (self.said, self.port) = (said, port)
      try #require(port > 0, "\(said)")
    }

    func ask(_ line: String, _ headers: [String] = [], _ body: String = "") throws -> RawClient.Answer? {
      var head = ["\(line) HTTP/1.1", "Host: localhost", "Connection: close"] + headers
      if !body.isEmpty { head.append("Content-Length: \(body.utf8.count)") }
      return try RawClient.ask(port: port, head.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    func logIn(_ email: String, _ password: String) throws -> RawClient.Answer? {
      try ask("POST /api/v1/auth/login", [], #"{"email":"\#(email)","password":"\#(password)"}"#)
    }

    func token(_ email: String = "ada@example.org") throws -> String {
      let body = Array(try #require(try logIn(email, password)).body.utf8)
      return try #require(try JSONValue(parsing: body.span, duplicateKeys: .refused)["accessToken"]?.text)
    }
  }

  /// A service that believes the running program, on a clock of its own for the age of the keys.
  private struct Service {
    private let watch = Watch()
    private let authority: TokenAuthority

    final class Watch: Sendable {
      private let start = ContinuousClock.now
      private let elapsed = Mutex(Duration.zero)
      var now: ContinuousClock.Instant { start.advanced(by: elapsed.withLock { $0 }) }
      func pass(_ time: Duration) { elapsed.withLock { $0 += time } }
    }

    init(_ running: Running) throws {
      let (watch, url) = (watch, try HTTPURL("http://127.0.0.1:\(running.port)/api/v1/auth/jwks"))
      authority = TokenAuthority(
        IdentityConfiguration(issuers: ["http://localhost:3001"], audiences: ["mana"]),
        keys: KeySetURL(url, client: try HTTPClient(), now: { watch.now }), clock: .system, refused: { _ in })
    }

    func pass(_ time: Duration) { watch.pass(time) }

    func user(_ token: String) async -> String? {
      do {
        return try await authority.principal(authorization: "Bearer " + token).user.text
      } catch {
        return nil
      }
    }
  }

  @Test("A login gives a token that a service believes, and that opens the list of spaces")
  func wholeWay() async throws {
    let place = Place()
    let running = try Running("--key", place.path)
    let token = try running.token()
    let user = AuthStandIn.user(of: "ada@example.org").text
    let service = try Service(running)
    #expect(await service.user(token) == user)
    #expect(await service.user(token.dropLast() + (token.hasSuffix("A") ? "Q" : "A")) == nil)
    let spaces = try running.ask("GET /api/auth/organization/list", ["Authorization: Bearer \(token)"])
    #expect(spaces?.status == 200 && spaces?.body.contains("space-" + user) == true)
    for path in ["/api/auth/jwks", "/api/v1/auth/jwks"] {
      let keys = try running.ask("GET \(path)")
      #expect(
        keys?.status == 200 && keys?.body.contains("throw-away-") == true && keys?.body.contains("\"d\"") == false)
    }
  }

  @Test("A wrong password, what is no user, a huge body, another method and another path are refused")
  func refused() async throws {
    let place = Place()
    let running = try Running("--key", place.path)
    let wrong = try running.logIn("ada@example.org", running.password + "x")
    #expect(wrong?.status == 401 && wrong?.body.contains("UNAUTHORIZED") == true)
    #expect(wrong?.body.contains(running.password) == false)
    for email in ["", "nobody", "a b@example.org", "a@b@c"] {
      #expect(try running.logIn(email, running.password)?.status == 400)
    }
    #expect(try running.logIn("a@b", String(repeating: "x", count: 20_000))?.status == 413)
    let other = try running.ask("GET /api/v1/auth/login")
    #expect(other?.status == 405 && other?.headers.contains("Allow: POST, OPTIONS") == true)
    #expect(try running.ask("POST /api/auth/jwks", [], "x")?.status == 405)
    #expect(try running.ask("GET /api/auth")?.status == 404)
    for header in [[], ["Authorization: Bearer x"], ["Authorization: Basic x"]] {
      #expect(try running.ask("GET /api/auth/organization/list", header)?.status == 401)
    }
  }

  @Test("Pages of this machine may call, pages of others get no permission")
  func origins() async throws {
    let place = Place()
    let running = try Running("--key", place.path)
    let name = "Access-Control-Allow-Origin: "
    let ours = try running.ask("GET /api/auth/jwks", ["Origin: http://localhost:5173"])
    #expect(ours?.headers.contains(name + "http://localhost:5173") == true)
    for origin in ["http://evil.example", "http://localhost:5173.evil.example", "null"] {
      let theirs = try running.ask("GET /api/auth/jwks", ["Origin: \(origin)"])
      #expect(theirs?.status == 200 && theirs?.headers.contains { $0.hasPrefix(name) } == false)
      let asked = ["Origin: \(origin)", "Access-Control-Request-Method: POST"]
      #expect(try running.ask("OPTIONS /api/v1/auth/login", asked)?.status == 403)
    }
  }

  @Test("Another pair is taken over while it serves, and tokens of the former one are good until they end")
  func rotation() async throws {
    let place = Place()
    let running = try Running("--key", place.path)
    let service = try Service(running)
    let former = try running.token()
    #expect(await service.user(former) != nil)
    try FileManager.default.removeItem(atPath: place.path + "/" + SigningKey.keyFile)
    running.child.signal(SIGHUP)
    #expect(running.child.readLine() == "another pair signs now")
    let new = try running.token()
    #expect(new.split(separator: ".").first != former.split(separator: ".").first)
    // The service does not ask again at once, whoever sends it ids that it does not know.
    #expect(await service.user(new) == nil)
    service.pass(.seconds(30))
    #expect(await service.user(new) != nil)
    #expect(await service.user(former) != nil)
    // The file beside the key is the new one's too.
    #expect(try await place.user(new, at: Int64(Date().timeIntervalSince1970)) != nil)
    running.child.signal(SIGHUP)
    #expect(running.child.readLine() == "the pair is the same")
    try Data("nonsense".utf8).write(to: URL(filePath: place.path + "/" + SigningKey.keyFile))
    running.child.signal(SIGHUP)
    #expect(running.child.readLine()?.hasPrefix("mandate-dev: the pair stays as it was: ") == true)
    #expect(try running.logIn("a@b", running.password)?.status == 200)
  }

  @Test("It ends when it is asked to, with nothing behind it", arguments: [SIGTERM, SIGINT])
  func ends(signal: Int32) async throws {
    let place = Place()
    let running = try Running("--key", place.path)
    // This one keeps its connection open, and is not waited for.
    let service = try Service(running)
    #expect(await service.user(try running.token()) != nil)
    running.child.signal(signal)
    #expect(running.child.end() == 0)
    #expect(throws: RawClient.Failed.self) { try running.ask("GET /api/auth/jwks") }
  }

  @Test("A password from a file is taken without its line's end and is never shown")
  func passwordFile() async throws {
    let (place, folder) = (Place(), Place())
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: false)
    let file = folder.path + "/password"
    try Data("open sesame\n".utf8).write(to: URL(filePath: file))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
    let running = try Running("--key", place.path, "--password-file", file)
    #expect(!running.said.contains("sesame"))
    #expect(try running.logIn("a@b", "open sesame")?.status == 200)
    #expect(try running.logIn("a@b", "open sesame\\n")?.status == 401)
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
    let refused = try Child([Self.program, "auth", "--password-file", file, "--key", place.path], readsErrors: true)
    #expect(refused.rest().contains(file) && refused.end() == 1)
  }

  @Test("What cannot be served is refused with a sentence: an address in use, a folder that cannot be")
  func cannot() async throws {
    let place = Place()
    let running = try Running("--key", place.path)
    let address = "127.0.0.1:\(running.port)"
    let second = try Child([Self.program, "auth", "--listen", address, "--key", place.path], readsErrors: true)
    #expect(second.rest().contains("cannot listen on \(address)") && second.end() == 1)
    let nowhere = try Child(
      [Self.program, "auth", "--listen", "127.0.0.1:0", "--key", place.path + "/a/b"], readsErrors: true)
    #expect(nowhere.rest().contains("does not exist") && nowhere.end() == 1)
    let help = try Child([Self.program, "--help"])
    #expect(help.rest().contains("mandate-dev auth") && help.end() == 0)
  }

  @Test(
    "It listens on a loopback address and nowhere else",
    arguments: [
      "0.0.0.0:3001", "10.0.0.1:3001", "[::]:3001", "[::ffff:10.0.0.1]:3001", "localhost:3001", "unix:/run/x", "3001",
      "127.0.0.1", "128.0.0.1:3001", "127.0.0.1:65536",
    ])
  func loopback(address: String) throws {
    #expect(throws: TokenCommand.WrongUsage.self) { try AuthCommand.parse(["--listen", address]) }
    let refused = try Child([Self.program, "auth", "--listen", address], readsErrors: true)
    #expect(refused.rest().contains("--listen is an address of the loopback") && refused.end() == 2)
  }

  @Test("Options are read as they are meant, and others refused")
  func options() throws {
    #expect(try AuthCommand.parse([]) == AuthCommand.Wish())
    let wish = try AuthCommand.parse([
      "--listen", "[::1]:0", "--origins", "http://localhost:1,https://a.localhost,http://127.1.2.3:9,http://[::1]:8",
      "--ttl", "60", "--issuer", "i", "--audience", "o", "--key", "k", "--password-file", "p",
    ])
    #expect(wish.host == "::1" && wish.port == 0 && wish.origins.count == 4 && wish.folder == "k")
    #expect(wish.mint == TokenMint(issuer: "i", audience: "o", lifetimeSeconds: 60) && wish.passwordFile == "p")
    for origins in [
      "*", "http://a.example", "http://localhost.example", "http://127.0.0.1.example", "http://localhost/", "localhost",
      "http://localhost:x", "http://a,http://localhost", ",", "file://localhost",
      Array(repeating: "http://localhost:1", count: 17).joined(separator: ","),
    ] {
      #expect(throws: TokenCommand.WrongUsage.self, "\(origins)") { try AuthCommand.parse(["--origins", origins]) }
    }
    for arguments in [["--user", "a"], ["--listen"], ["--ttl", "0"], ["--key", "a", "--key", "b"], ["stray"]] {
      #expect(throws: TokenCommand.WrongUsage.self) { try AuthCommand.parse(arguments) }
    }
  }
}
