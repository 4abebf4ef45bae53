// Where the database is and how to reach it, checked once and closed: libpq gets exactly what stands here, and neither
// the environment nor files in a home directory add to it.

import Secrets

package struct ConnectionConfiguration: Sendable {
  /// What stands between us and the server.
  package enum Pooler: String, CaseIterable, Sendable {
    case none
    /// PgBouncer in transaction mode: no named statements, no session state, no start-up options.
    case transaction
  }

  /// libpq's keywords and values, all but the password.
  let parameters: [ConnectionParameter]
  let password: DatabasePassword?
  package let pooler: Pooler
  /// How long name resolution, connecting, TLS and login may take together. `connect_timeout` in the URL, in
  /// seconds; 10 by default, since a login takes milliseconds and a dead host never answers.
  package let connectTimeout: Duration
  /// How long a cancelled statement may take to stop before its connection is dropped. The server looks for a
  /// cancel at every row, so 2 seconds mean that something is wrong there.
  package let cancelGrace: Duration

  /// Reads a `postgres://` URL. Its password may be given apart, in locked memory, or with `passfile` in the URL.
  package init(
    url: String, password: DatabasePassword? = nil, pooler: Pooler = .none, applicationName: String = "mandate",
    cancelGrace: Duration = .seconds(2)
  ) throws(ConfigurationError) {
    let parsed = try ConnectionURL(url)
    try parsed.check(pooler: pooler)
    guard password == nil || (parsed.password == nil && parsed["passfile"] == nil) else { throw .twoPasswords }
    guard parsed.password == nil || parsed["passfile"] == nil else { throw .twoPasswords }
    self.password = password ?? parsed.password
    try ConnectionEnvironment.refuse(unless: parsed, passwordGiven: self.password != nil)
    parameters = parsed.parameters(applicationName: applicationName)
    self.pooler = pooler
    connectTimeout = try parsed.connectTimeout() ?? .seconds(10)
    self.cancelGrace = cancelGrace
  }

  /// The same server and login, another database: for tests, and for what must not run inside the target itself.
  package func database(_ name: String) -> ConnectionConfiguration {
    ConnectionConfiguration(self, parameters: parameters.map { $0.keyword == "dbname" ? $0.with(name) : $0 })
  }

  private init(_ other: ConnectionConfiguration, parameters: [ConnectionParameter]) {
    self.parameters = parameters
    password = other.password
    pooler = other.pooler
    connectTimeout = other.connectTimeout
    cancelGrace = other.cancelGrace
  }

  subscript(keyword: String) -> String? { parameters.first { $0.keyword == keyword }?.value }

  package var databaseName: String { self["dbname"] ?? "" }
  package var user: String { self["user"] ?? "" }
}

/// Printing shows where, never the password and no file of ours.
extension ConnectionConfiguration: CustomStringConvertible, CustomReflectable {
  package var description: String {
    "postgres://\(user)@\(self["host"] ?? ""):\(self["port"] ?? "")/\(databaseName)?sslmode=\(self["sslmode"] ?? "")"
  }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

struct ConnectionParameter: Sendable, Equatable {
  let keyword: String
  let value: String
  func with(_ value: String) -> ConnectionParameter { ConnectionParameter(keyword: keyword, value: value) }
}
