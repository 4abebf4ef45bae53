// Logging in: what is refused is refused with its reason, at once, and nobody waits for a host that does not answer.

import Foundation
import PostgresSupport
import Secrets
import Testing

@testable import Postgres

@Suite(.serialized, .timeLimit(.minutes(3))) struct OpeningTests {
  private static let one = Statement("SELECT 1")

  /// A cluster that wants a password from everybody but `postgres`.
  private actor Shared {
    static let instance = Shared()
    private var starting: Task<TemporaryCluster, any Error>?
    func get() async throws -> TemporaryCluster {
      if let starting { return try await starting.value }
      let task = Task {
        var options = TemporaryCluster.Options()
        options.access = ["local all postgres trust", "local all all scram-sha-256"]
        options.settings = ["log_connections = on"]
        return try await TemporaryCluster.start(options)
      }
      starting = task
      return try await task.value
    }
  }

  private func attempt(_ configuration: ConnectionConfiguration, deadline: Duration = .seconds(20)) async throws
    -> PostgresError?
  {
    let pool = PostgresPool(configuration, limits: PoolLimits(minimum: 0, maximum: 1))
    do throws(PostgresError) {
      _ = try await pool.query(Self.one.bind(), deadline: .after(deadline))
      _ = await pool.drain(deadline: .after(.seconds(10)))
      return nil
    } catch { return error }
  }

  private func password(_ text: String) throws -> DatabasePassword? {
    let bytes = Array(text.utf8)
    return try DatabasePassword(copying: bytes.span)
  }

  private func refused(_ state: SQLState) -> PostgresError { .unreachable(ConnectFailure(reason: .refused(state))) }

  /// Makes a login with the password, by its verifier, as an operator's command does.
  private func makeLogin(_ cluster: TemporaryCluster, _ role: String, _ password: String) async throws -> String {
    let secret = try #require(try self.password(password))
    let pool = PostgresPool(try cluster.configuration())
    return try await pool.withSession { session throws(PostgresError) in
      try await session.script("CREATE ROLE \(try quoteIdentifier(role)) LOGIN")
      let verifier = try session.encryptPassword(secret, role: role)
      // The server logs the command, so that the log can be searched.
      try await session.script("SET log_statement = 'all'")
      try await session.script(
        "ALTER ROLE \(try quoteIdentifier(role)) PASSWORD \(try quoteLiteral(verifier))")
      try await session.script("RESET log_statement")
      return verifier
    }
  }

  @Test("A password set by its verifier logs in, and the server's log never saw it")
  func verifier() async throws {
    let cluster = try await Shared.instance.get()
    let (role, password) = ("role \"one\"", "pass word'\\ü\(UInt64.random(in: 0 ... .max))")
    let verifier = try await makeLogin(cluster, role, password)
    #expect(verifier.hasPrefix("SCRAM-SHA-256$4096:"))
    let url =
      "postgres:///postgres?host=\(cluster.socketFolder)&port=\(TemporaryCluster.socketPort)&user=role%20%22one%22"
    func with(_ text: String) throws -> ConnectionConfiguration {
      try ConnectionConfiguration(url: url, password: try self.password(text))
    }
    #expect(try await attempt(with(password)) == nil)
    let log = try cluster.log()
    #expect(log.contains("ALTER ROLE \"role \"\"one\"\"\" PASSWORD"))
    #expect(!log.contains(password) && !log.contains("pass word"))
    #expect(try await attempt(with(password + "x")) == refused(.invalidPassword))
    #expect(
      try await attempt(ConnectionConfiguration(url: url)) == .unreachable(ConnectFailure(reason: .passwordMissing)))
  }

  @Test("The URL's own password logs in; so does a password file that only its owner can read")
  func passwordFile() async throws {
    let cluster = try await Shared.instance.get()
    _ = try await makeLogin(cluster, "filed", "secret")
    let place = "host=\(cluster.socketFolder)&port=\(TemporaryCluster.socketPort)&user=filed"
    #expect(try await attempt(ConnectionConfiguration(url: "postgres:///postgres?\(place)&password=secret")) == nil)
    let file = cluster.folder + "/passfile"
    let url = "postgres:///postgres?\(place)&passfile=\(file)"
    let lost = PostgresError.unreachable(ConnectFailure(reason: .passwordFile))
    #expect(try await attempt(ConnectionConfiguration(url: url)) == lost)
    try "*:*:*:filed:secret\n".write(toFile: file, atomically: true, encoding: .utf8)
    for (mode, expected) in [(0o600, nil), (0o400, nil), (0o640, lost), (0o604, lost)] as [(Int, PostgresError?)] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
      #expect(try await attempt(ConnectionConfiguration(url: url)) == expected, "mode \(String(mode, radix: 8))")
    }
    // The folder itself is not a password file.
    #expect(
      try await attempt(ConnectionConfiguration(url: "postgres:///postgres?\(place)&passfile=\(cluster.folder)"))
        == lost)
  }

  @Test("A database or role that is not there is refused at once, and not tried again")
  func unknownNames() async throws {
    let cluster = try await Shared.instance.get()
    let pool = PostgresPool(try cluster.configuration(database: "nowhere"))
    let error = try await failure { () throws(PostgresError) in _ = try await pool.query(Self.one.bind()) }
    #expect(error == refused(.undefinedDatabase))
    #expect(pool.statistics.failedToOpen == 1)
    let role = try await attempt(TemporaryCluster.shared().configuration(user: "nobody_here"))
    #expect(role == refused(.invalidAuthorization))
  }

  @Test("Too many connections is a passing trouble: who can wait is served when one ends")
  func tooMany() async throws {
    let cluster = try await Shared.instance.get()
    let administrator = PostgresPool(try cluster.configuration())
    try await administrator.withSession { session throws(PostgresError) in
      try await session.script("CREATE DATABASE narrow")
      try await session.script("ALTER DATABASE narrow CONNECTION LIMIT 1")
      try await session.script("CREATE ROLE narrow LOGIN")
    }
    _ = try await makeLogin(cluster, "narrower", "secret")
    let configuration = try ConnectionConfiguration(
      url: cluster.url(database: "narrow", user: "narrower") + "&password=secret")
    let (first, second) = (PostgresPool(configuration), PostgresPool(configuration))
    _ = try await first.query(Self.one.bind())
    let impatient = try await failure { () throws(PostgresError) in
      _ = try await second.query(Self.one.bind(), deadline: .after(.seconds(2)))
    }
    #expect(impatient == refused(.tooManyConnections))
    async let patient = second.query(Self.one.bind(), deadline: .after(.seconds(60))).count
    while second.statistics.failedToOpen < 3 { await Task.yield() }
    #expect(await first.drain(deadline: .after(.seconds(10))))
    #expect(try await patient == 1)
  }

  @Test("A host that accepts and never answers costs no more than the time for connecting")
  func silentHost() async throws {
    let silent = try SilentListener()
    defer { silent.end() }
    let url = "postgres://u@127.0.0.1:\(silent.port)/d?connect_timeout=1"
    let late = try await attempt(ConnectionConfiguration(url: url), deadline: .milliseconds(100))
    #expect(late == .deadline)
    let timeout = try await attempt(ConnectionConfiguration(url: url), deadline: .seconds(3))
    #expect(timeout == .unreachable(ConnectFailure(reason: .network)))
    // A caller who is cancelled does not wait for it either.
    let pool = PostgresPool(try ConnectionConfiguration(url: url))
    let task = Task { () -> PostgresError? in
      do throws(PostgresError) {
        _ = try await pool.query(Self.one.bind())
        return nil
      } catch { return error }
    }
    while pool.statistics.opening == 0 { await Task.yield() }
    task.cancel()
    #expect(await task.value == .cancelled)
    #expect(pool.statistics.opening == 0)
  }

  @Test("Nobody listens, or the name has no address: unreachable, with a sentence for the operator")
  func nobody() async throws {
    for url in [
      "postgres://u@127.0.0.1:1/d", "postgres:///d?user=u&host=/nonexistent",
      "postgres://u@does-not-exist.invalid/d?sslmode=disable",
    ] {
      let error = try await attempt(ConnectionConfiguration(url: url), deadline: .seconds(2))
      guard case .unreachable(let failure) = error ?? .cancelled else {
        // A resolver that takes its time is the caller's deadline.
        #expect(error == .deadline && url.contains("invalid"), "\(String(describing: error))")
        continue
      }
      #expect(failure.reason == .network)
      #expect(!failure.detail.isEmpty && !failure.detail.contains("\n"))
    }
  }

  @Test("A server with another encoding or our requirements not met is not used")
  func encoding() async throws {
    let cluster = try await Shared.instance.get()
    let administrator = PostgresPool(try cluster.configuration())
    try await administrator.withSession { session throws(PostgresError) in
      try await session.script("CREATE DATABASE odd")
      try await session.script("ALTER DATABASE odd SET standard_conforming_strings = off")
    }
    #expect(try await attempt(cluster.configuration(database: "odd")) == .protocolViolation(.unsupportedServer))
  }
}

@Suite struct ConnectFailureTests {
  @Test("The server's state is found in libpq's words, the last one where several hosts were tried")
  func states() {
    let words = [
      ("connection to server on socket \"/x\" failed: FATAL:  28P01\n", "28P01"),
      (
        "connection to server at \"a\" failed: FATAL:  57P03\nconnection to server at \"b\" failed: FATAL:  28000\n",
        "28000"
      ),
      ("connection to server failed: ERROR:  08P01\n", "08P01"),
      ("connection to server at \"127.0.0.1\", port 1 failed: Connection refused", nil),
      ("FATAL:  password authentication failed for user \"x\"", nil),
      ("FATAL:  abcde", nil), ("", nil),
    ]
    for (message, state) in words { #expect(ConnectFailure.state(in: message)?.code == state) }
  }

  @Test("A handshake that fails is TLS's trouble, one that breaks off is the network's")
  func handshakes() {
    let words: [(String, Bool, Bool)] = [
      ("server does not support SSL, but SSL was required", true, true),
      ("SSL error: certificate verify failed", true, true),
      ("server certificate for \"localhost\" does not match host name \"x\"", true, true),
      ("root certificate file \"/x\" does not exist", true, true),
      ("SSL error: tlsv1 alert unknown ca", false, true),
      ("SSL SYSCALL error: EOF detected", true, false),
      ("server closed the connection unexpectedly", true, false),
      ("Connection refused", false, false),
    ]
    for (message, duringHandshake, expected) in words {
      #expect(ConnectFailure.isTLS(message, duringHandshake: duringHandshake) == expected, "\(message)")
    }
  }

  @Test("A sentence is one printable line of bounded length")
  func sentences() {
    #expect(ConnectFailure.printable("a\u{1B}[31m\nb\u{7F}\r\n") == "a [31m b")
    #expect(ConnectFailure.printable(String(repeating: "é", count: 10_000)).unicodeScalars.count == 400)
  }
}
