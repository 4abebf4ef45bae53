// Reads a connection URL with libpq's own parser and holds it against a closed list: a member that is not named here
// is refused, so nothing enters a connection that nobody thought about.

import CPostgres
import Secrets

#if canImport(Glibc)
  import Glibc
#endif

struct ConnectionURL {
  /// Longest URL that is looked at.
  private static let longest = 4_096
  /// Members an operator may write. `password` is taken out of the list at once.
  private static let members: Set<String> = [
    "host", "hostaddr", "port", "dbname", "user", "passfile", "channel_binding", "connect_timeout", "client_encoding",
    "options", "application_name", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
    "tcp_user_timeout", "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "requirepeer",
    "ssl_min_protocol_version", "target_session_attrs",
  ]

  private var values: [String: String] = [:]
  private(set) var password: DatabasePassword?

  init(_ url: String) throws(ConfigurationError) {
    guard url.hasPrefix("postgres://") || url.hasPrefix("postgresql://"), url.utf8.count <= Self.longest,
      url.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
    else { throw .malformed }
    // libpq's complaint would quote the URL, so it is not asked for.
    guard let list = unsafe url.withCString({ unsafe PQconninfoParse($0, nil) }) else { throw .malformed }
    defer { unsafe PQconninfoFree(list) }
    var option = unsafe list
    while let keyword = unsafe option.pointee.keyword {
      defer { unsafe option += 1 }
      guard let value = unsafe option.pointee.val, unsafe value.pointee != 0 else { continue }
      let name = unsafe String(cString: keyword)
      if name == "password" {
        defer { unsafe explicit_bzero(value, strlen(value)) }
        password = try unsafe Self.password(value)
      } else {
        guard Self.members.contains(name) else { throw .unknownMember(name) }
        values[name] = unsafe String(cString: value)
      }
    }
  }

  private static func password(_ text: UnsafePointer<CChar>) throws(ConfigurationError) -> DatabasePassword {
    let raw = unsafe UnsafeRawBufferPointer(start: text, count: strlen(text))
    let password: DatabasePassword?
    do throws(SecretError) {
      password = try unsafe DatabasePassword(copying: Span(_unsafeBytes: raw))
    } catch { throw .invalid("password") }
    guard let password else { throw .invalid("password") }
    return password
  }

  subscript(name: String) -> String? { values[name] }

  // MARK: Checks

  func check(pooler: ConnectionConfiguration.Pooler) throws(ConfigurationError) {
    for name in ["host", "user", "dbname"] where values[name] == nil { throw .missing(name) }
    if let port = values["port"] {
      for number in port.split(separator: ",", omittingEmptySubsequences: false) where !number.isEmpty {
        guard let value = Int(number), value > 0, value < 65_536 else { throw .invalid("port") }
      }
    }
    if let encoding = values["client_encoding"], !["utf8", "utf-8", "unicode"].contains(encoding.lowercased()) {
      throw .invalid("client_encoding")
    }
    guard pooler == .none || values["options"] == nil else { throw .optionsBehindPooler }
    try checkTLS()
  }

  private func checkTLS() throws(ConfigurationError) {
    switch values["sslmode"] {
    case nil: guard isLocal else { throw .tlsUnstated }
    case "disable", "require": break
    case "verify-ca", "verify-full": guard values["sslrootcert"] != nil else { throw .missingRootCertificate }
    case "allow", "prefer": throw .weakTLS
    default: throw .invalid("sslmode")
    }
    if let version = values["ssl_min_protocol_version"], version != "TLSv1.2", version != "TLSv1.3" {
      throw .invalid("ssl_min_protocol_version")
    }
  }

  /// True when every host is a Unix socket's folder or this machine itself.
  private var isLocal: Bool {
    let hosts = ["host", "hostaddr"].compactMap { values[$0] }
    return hosts.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }.allSatisfy {
      $0.hasPrefix("/") || $0.hasPrefix("@") || ["localhost", "127.0.0.1", "::1"].contains(String($0))
    }
  }

  func connectTimeout() throws(ConfigurationError) -> Duration? {
    guard let text = values["connect_timeout"] else { return nil }
    guard let seconds = Int(text), (1...3_600).contains(seconds) else { throw .invalid("connect_timeout") }
    return .seconds(seconds)
  }

  // MARK: What libpq is told

  /// A path that can't exist: libpq takes it for "no such file" where it would otherwise look into a home directory.
  static let noFile = "/dev/null/none"

  func parameters(applicationName: String) -> [ConnectionParameter] {
    var told: [String: String] = [
      "port": "5432", "sslmode": "disable", "sslcompression": "0", "sslsni": "1", "gssencmode": "disable",
      "krbsrvname": "postgres", "channel_binding": "prefer", "ssl_min_protocol_version": "TLSv1.2",
      "target_session_attrs": "any", "application_name": applicationName,
      "passfile": Self.noFile, "sslcert": Self.noFile, "sslkey": Self.noFile, "sslrootcert": Self.noFile,
      // A peer that vanished is noticed after 10 s of unanswered data, also by a cancel request.
      "keepalives": "1", "keepalives_idle": "60", "keepalives_interval": "10", "keepalives_count": "3",
      "tcp_user_timeout": "10000",
    ]
    told.merge(values) { _, operators in operators }
    told["client_encoding"] = "UTF8"
    // Ours is the deadline of the whole attempt; libpq's own applies only where it blocks.
    told["connect_timeout"] = nil
    return told.sorted { $0.key < $1.key }.map { ConnectionParameter(keyword: $0.key, value: $0.value) }
  }
}
