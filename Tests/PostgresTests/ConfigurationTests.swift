// A connection URL says everything about a connection and nothing it should not; its password is never shown.

import Postgres
import PostgresSupport
import Secrets
import Testing

@Suite struct ConfigurationTests {
  private func refusal(
    _ url: String, password: String? = nil, pooler: ConnectionConfiguration.Pooler = .none
  ) throws -> ConfigurationError? {
    let secret = try password.flatMap { try self.password(Array($0.utf8)) }
    do throws(ConfigurationError) {
      _ = try ConnectionConfiguration(url: url, password: secret, pooler: pooler)
      return nil
    } catch { return error }
  }

  @Test(
    "A URL of ours is taken",
    arguments: [
      "postgres://u@localhost/d", "postgresql://u@127.0.0.1:6000/d", "postgres://u@[::1]:6000/d",
      "postgres:///d?host=/run/mandate&user=u", "postgres://u:p%40ss@%2Frun%2Fmandate/d",
      "postgres://u@db.example/d?sslmode=disable", "postgres://u@db.example/d?sslmode=require",
      "postgres://u@db.example/d?sslmode=verify-full&sslrootcert=/etc/ca.pem&sslcert=/etc/c.pem&sslkey=/etc/k.pem",
      "postgres://u@a.example,b.example:6000/d?sslmode=require&target_session_attrs=read-write",
      "postgres://u@localhost/d?connect_timeout=5&application_name=mandate&client_encoding=UTF8",
      "postgres://u@localhost/d?options=-c%20statement_timeout%3D1s&keepalives=0&passfile=/etc/pw",
    ])
  func accepted(url: String) throws { #expect(try refusal(url) == nil) }

  @Test(
    "What is missing, unknown or impossible is named, without a word of the URL",
    arguments: [
      ("mysql://u@localhost/d", .malformed), ("host=localhost user=u dbname=d", .malformed), ("", .malformed),
      ("postgres://u@localhost:x y/d", .invalid("port")), ("postgres://u@localhost/d?nonsense=1", .malformed),
      ("postgres://u@[::1/d", .malformed), ("postgres://u@localhost/d\0", .malformed),
      ("postgres://u@localhost/d?sslmode=disable\n", .malformed),
      ("postgres://localhost/d", .missing("user")), ("postgres://u@localhost", .missing("dbname")),
      ("postgres:///d?user=u", .missing("host")),
      ("postgres://u@localhost:99999/d", .invalid("port")), ("postgres://u@localhost:0/d", .invalid("port")),
      ("postgres://u@localhost/d?connect_timeout=0", .invalid("connect_timeout")),
      ("postgres://u@localhost/d?connect_timeout=x", .invalid("connect_timeout")),
      ("postgres://u@localhost/d?client_encoding=LATIN1", .invalid("client_encoding")),
      ("postgres://u@localhost/d?sslmode=maybe", .invalid("sslmode")),
      ("postgres://u@localhost/d?ssl_min_protocol_version=TLSv1", .invalid("ssl_min_protocol_version")),
      ("postgres://u@localhost/d?service=other", .unknownMember("service")),
      ("postgres://u@localhost/d?replication=true", .unknownMember("replication")),
      ("postgres://u@localhost/d?gssencmode=require", .unknownMember("gssencmode")),
    ] as [(String, ConfigurationError)])
  func refused(url: String, error: ConfigurationError) throws { #expect(try refusal(url) == error) }

  @Test("On the network TLS must be spelled out, and never fall back")
  func tls() throws {
    #expect(try refusal("postgres://u@db.example/d") == .tlsUnstated)
    #expect(try refusal("postgres://u@localhost,db.example/d") == .tlsUnstated)
    #expect(try refusal("postgres://u@localhost/d?hostaddr=192.0.2.1") == .tlsUnstated)
    #expect(try refusal("postgres://u@localhost/d?sslmode=prefer") == .weakTLS)
    #expect(try refusal("postgres://u@localhost/d?sslmode=allow") == .weakTLS)
    #expect(try refusal("postgres://u@db.example/d?sslmode=verify-full") == .missingRootCertificate)
    #expect(try refusal("postgres://u@db.example/d?sslmode=verify-ca") == .missingRootCertificate)
  }

  @Test("Behind a pooler there are no start-up options")
  func options() throws {
    let url = "postgres://u@localhost/d?options=-c%20role%3Dx"
    #expect(try refusal(url, pooler: .transaction) == .optionsBehindPooler)
    #expect(try refusal("postgres://u@localhost/d", pooler: .transaction) == nil)
  }

  @Test("One password, from one place")
  func passwords() throws {
    #expect(try refusal("postgres://u@localhost/d", password: "p") == nil)
    #expect(try refusal("postgres://u:p@localhost/d", password: "p") == .twoPasswords)
    #expect(try refusal("postgres://u@localhost/d?passfile=/etc/pw", password: "p") == .twoPasswords)
    #expect(try refusal("postgres://u:p@localhost/d?passfile=/etc/pw") == .twoPasswords)
    for bytes in [[], [1, 0, 2], [UInt8](repeating: 1, count: 1_025)] as [[UInt8]] {
      #expect(try password(bytes) == nil)
    }
    #expect(try password([UInt8](repeating: 1, count: 1_024)) != nil)
  }

  private func password(_ bytes: [UInt8]) throws -> DatabasePassword? { try DatabasePassword(copying: bytes.span) }

  @Test("Nothing that prints a configuration prints its password")
  func redaction() throws {
    let word = "xyzzy-plugh"
    let configuration = try ConnectionConfiguration(url: "postgres://u:\(word)@localhost:6000/d?passfile=")
    var dumped = ""
    dump(configuration, to: &dumped)
    dumped += "\(configuration)" + String(reflecting: configuration)
    let password = try #require(try self.password(Array(word.utf8)))
    dump(password, to: &dumped)
    dumped += "\(password)" + String(reflecting: password)
    #expect(dumped.contains("postgres://u@localhost:6000/d"))
    #expect(!dumped.contains(word))
    #expect(!"\(configuration.database("other"))".contains(word))
    #expect("\(configuration.database("other"))" == "postgres://u@localhost:6000/other?sslmode=disable")
  }

  @Test(
    "A variable of libpq's that could change the connection stops it, one that cannot does not",
    arguments: [
      ("PGHOSTADDR", "192.0.2.1", false), ("PGOPTIONS", "-c role=x", false), ("PGSERVICE", "x", false),
      ("PGPASSWORD", "x", false), ("PGREQUIREPEER", "x", false), ("PGSSLCRL", "/x", false),
      ("PGHOST", "db.example", true), ("PGUSER", "x", true), ("PGDATABASE", "x", true), ("PGSSLMODE", "allow", true),
      ("PGPASSFILE", "/x", true), ("PGAPPNAME", "x", true), ("PGCLIENTENCODING", "LATIN1", true),
      ("PGCONNECT_TIMEOUT", "1", true), ("PGSSLROOTCERT", "/x", true), ("PGGSSENCMODE", "require", true),
    ])
  func environment(name: String, value: String, harmless: Bool) async throws {
    let url = try await TemporaryCluster.shared().url()
    await #expect(processExitsWith: .success) {
      [name = name as String, value = value as String, harmless = harmless as Bool, url = url as String] in
      setVariable(name, value)
      let configuration: ConnectionConfiguration
      do throws(ConfigurationError) {
        configuration = try ConnectionConfiguration(url: url)
      } catch {
        #expect(!harmless)
        #expect(error == .environment(name))
        return
      }
      #expect(harmless)
      let settings = Statement("SELECT current_user, current_database(), current_setting('client_encoding')")
      let row = try await PostgresPool(configuration).query(settings.bind()).only()
      #expect(try row.get(0, as: String.self) == "postgres")
      #expect(try row.get(1, as: String.self) == "postgres")
      #expect(try row.get(2, as: String.self) == "UTF8")
    }
  }

  @Test("Pool limits that contradict one another are named")
  func limits() {
    #expect(PoolLimits().problem == nil)
    let changes: [(String, (inout PoolLimits) -> Void)] = [
      ("maximum", { $0.maximum = 0 }), ("minimum", { $0.minimum = 9 }), ("waiters", { $0.waiters = -1 }),
      ("idleTime", { $0.idleTime = .zero }), ("lifetime", { $0.lifetime = .zero }),
      ("callTime", { $0.callTime = .zero }), ("firstBackoff", { $0.firstBackoff = .zero }),
      ("longestBackoff", { $0.longestBackoff = .milliseconds(1) }), ("housekeeping", { $0.housekeeping = .zero }),
    ]
    for (name, change) in changes {
      var limits = PoolLimits()
      change(&limits)
      #expect(limits.problem == name)
    }
  }
}
