// TLS from the URL: the right server is talked to, every wrong one is not, and nothing ever goes on in plain text.

import Foundation
import Postgres
import PostgresSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(3))) struct TLSTests {
  private actor Shared {
    static let instance = Shared()
    private var starting: Task<TemporaryCluster, any Error>?
    func get() async throws -> TemporaryCluster {
      if let starting { return try await starting.value }
      let task = Task {
        var options = TemporaryCluster.Options()
        options.tls = true
        options.access = [
          "hostssl certified all 127.0.0.1/32 cert clientname=CN", "hostssl all all 127.0.0.1/32 trust",
        ]
        return try await TemporaryCluster.start(options)
      }
      starting = task
      return try await task.value
    }
  }

  /// `localhost` may resolve to ::1 first; the address is said, the name is what the certificate is checked against.
  private func url(_ cluster: TemporaryCluster, host: String = "localhost", mode: String, root: String? = "root")
    -> String
  {
    "postgres://postgres@\(host):\(cluster.tcpPort)/postgres?hostaddr=127.0.0.1&sslmode=\(mode)"
      + (root.map { "&sslrootcert=\(cluster.folder)/\($0).crt" } ?? "")
  }

  private static let encrypted = Statement(
    "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")

  private func attempt(_ url: String) async throws -> Result<Row, PostgresError> {
    let pool = PostgresPool(try ConnectionConfiguration(url: url), limits: PoolLimits(minimum: 0, maximum: 1))
    do throws(PostgresError) {
      let row = try await pool.query(Self.encrypted.bind()).only()
      _ = await pool.drain(deadline: .after(.seconds(10)))
      return .success(row)
    } catch { return .failure(error) }
  }

  @Test(
    "The right server under its right name is reached, over TLS 1.2 or newer",
    arguments: ["require", "verify-ca", "verify-full"])
  func good(mode: String) async throws {
    let cluster = try await Shared.instance.get()
    let row = try await attempt(url(cluster, mode: mode)).get()
    #expect(try row.get(0, as: Bool.self))
    #expect(["TLSv1.2", "TLSv1.3"].contains(try row.get(1, as: String.self)))
  }

  @Test("A wrong name, a wrong authority, and a missing authority are refused")
  func wrong() async throws {
    let cluster = try await Shared.instance.get()
    let refused = PostgresError.unreachable(ConnectFailure(reason: .tls))
    #expect(try await attempt(url(cluster, host: "db.example", mode: "verify-full")).failure == refused)
    #expect(try await attempt(url(cluster, mode: "verify-full", root: "other")).failure == refused)
    #expect(try await attempt(url(cluster, mode: "verify-ca", root: "other")).failure == refused)
    #expect(try await attempt(url(cluster, mode: "verify-full", root: "nowhere")).failure == refused)
    // verify-ca does not ask for the name: that the name was the trouble above shows here.
    #expect(try await attempt(url(cluster, host: "db.example", mode: "verify-ca")).failure == nil)
  }

  @Test("A client certificate logs in; without it, and with another authority's, the login is refused")
  func clientCertificate() async throws {
    let cluster = try await Shared.instance.get()
    let database = "certified"
    let administrator = PostgresPool(try ConnectionConfiguration(url: url(cluster, mode: "verify-full")))
    try await administrator.withSession { session throws(PostgresError) in
      try await session.script("CREATE DATABASE \(database)")
    }
    let base = url(cluster, mode: "verify-full").replacing("/postgres?", with: "/\(database)?")
    let place = { (name: String) in "&sslcert=\(cluster.folder)/\(name).crt&sslkey=\(cluster.folder)/\(name).key" }
    #expect(try await attempt(base + place("client")).failure == nil)
    #expect(try await attempt(base).failure == .unreachable(ConnectFailure(reason: .refused(.invalidAuthorization))))
    #expect(
      try await attempt(base + place("stranger")).failure == .unreachable(ConnectFailure(reason: .tls)))
  }

  @Test("Large answers arrive whole over TLS, and a deadline stops a statement there too")
  func traffic() async throws {
    let cluster = try await Shared.instance.get()
    let pool = PostgresPool(try ConnectionConfiguration(url: url(cluster, mode: "verify-full")))
    let echo = Statement("SELECT $1::bytea", .bytea)
    let block = [UInt8](repeating: 0x5A, count: 1 << 20)
    let outcomes = try await pool.pipeline(
      (0..<16).map { _ in PipelineUnit(echo.bind(.bytes(block))) }, deadline: .after(.seconds(120)))
    var bytes = 0
    for outcome in outcomes { bytes += try outcome.get()[0].only().withBytes(0) { $0.count } }
    #expect(bytes == 16 << 20)
    let error = try await failure { () throws(PostgresError) in
      _ = try await pool.query(
        Statement("SELECT pg_sleep(600)", reuse: .once).bind(), deadline: .after(.milliseconds(50)))
    }
    #expect(error == .deadline)
    #expect(pool.statistics.idle == 1, "the connection was not kept")
    #expect(await pool.drain(deadline: .after(.seconds(10))))
  }

  @Test("Answers in the largest TLS records there are arrive, whatever their size and however libpq cuts them")
  func largeRecords() async throws {
    let cluster = try await Shared.instance.get()
    let pooler = try await TemporaryPooler.start(before: cluster)
    let url =
      "postgres://postgres@localhost:\(pooler.tcpPort)/postgres?hostaddr=127.0.0.1&sslmode=verify-full"
      + "&sslrootcert=\(cluster.folder)/root.crt"
    let pool = PostgresPool(try ConnectionConfiguration(url: url, pooler: .transaction))
    let read = Statement("SELECT repeat('x', $1) FROM generate_series(1, $2)", .int4, .int4)
    var answers = 0
    for rows in [3, 7, 11, 13] as [Int32] {
      for size in stride(from: 500 as Int32, to: 9_000, by: 23) {
        let result = try await pool.query(read.bind(.int4(size), .int4(rows)))
        #expect(result.count == Int(rows))
        answers += 1
      }
    }
    #expect(answers == 1_480)
    #expect(await pool.drain(deadline: .after(.seconds(10))))
    try await pooler.end()
  }

  @Test("A server that has no TLS is refused wherever TLS was asked for")
  func plainServer() async throws {
    let cluster = try await Shared.instance.get()
    let administrator = PostgresPool(try ConnectionConfiguration(url: url(cluster, mode: "verify-full")))
    func set(_ value: String) async throws {
      try await administrator.withSession { session throws(PostgresError) in
        try await session.script("ALTER SYSTEM SET ssl = \(value)")
      }
      try await cluster.order(.restart)
    }
    try await set("off")
    for mode in ["require", "verify-ca", "verify-full"] {
      #expect(try await attempt(url(cluster, mode: mode)).failure == .unreachable(ConnectFailure(reason: .tls)))
    }
    // In plain text it is reached, so it was TLS that was missing.
    let plain = PostgresPool(try ConnectionConfiguration(url: url(cluster, mode: "disable")))
    #expect(try await plain.query(Self.encrypted.bind()).only().get(0, as: Bool.self) == false)
    #expect(await plain.drain(deadline: .after(.seconds(10))))
  }
}
