// A PgBouncer in transaction mode in front of a temporary cluster, on a Unix socket of its own or, before a cluster
// with TLS, with that cluster's certificate on a port of this machine.

import Foundation
package import Postgres

package final class TemporaryPooler: Sendable {
  private let supervisor: Supervisor
  package let tcpPort: Int
  private static let socketPort = 54_321

  private init(_ supervisor: Supervisor, tcpPort: Int) {
    self.supervisor = supervisor
    self.tcpPort = tcpPort
  }

  /// The one in front of the shared cluster, for the user `postgres`.
  package static func shared() async throws -> TemporaryPooler { try await SharedPooler.instance.get() }

  /// `users` may log in through it; the cluster must trust them on its socket.
  package static func start(
    before cluster: TemporaryCluster, users: [String] = ["postgres"], poolSize: Int = 8
  ) async throws -> TemporaryPooler {
    _ = try Supervisor.run("sh", ["-c", "command -v pgbouncer"])
    // A port may be taken; then another is tried.
    var attempts = 0
    while true {
      let port = cluster.tcpPort == 0 ? 0 : Int.random(in: 20_000...32_000)
      do {
        return try await start(before: cluster, users: users, poolSize: poolSize, tcpPort: port)
      } catch {
        attempts += 1
        if port == 0 || attempts == 5 { throw error }
      }
    }
  }

  private static func start(
    before cluster: TemporaryCluster, users: [String], poolSize: Int, tcpPort: Int
  ) async throws -> TemporaryPooler {
    let folder = try TemporaryFolder.make()
    let place =
      tcpPort == 0
      ? """
      unix_socket_dir = \(folder)
      unix_socket_mode = 0700
      listen_port = \(socketPort)
      """
      : """
      unix_socket_dir =
      listen_addr = 127.0.0.1
      listen_port = \(tcpPort)
      client_tls_sslmode = require
      client_tls_cert_file = \(cluster.folder)/server.crt
      client_tls_key_file = \(cluster.folder)/server.key
      """
    // Each database of a test process has a pool of its own here, and all together would use the cluster's connections
    // up, so idle ones go soon. With a buffer this large its TLS records have the largest size there is.
    try """
    [databases]
    * = host=\(cluster.socketFolder) port=\(cluster.port)
    [pgbouncer]
    \(place)
    pkt_buf = \(tcpPort == 0 ? 4096 : 65_536)
    auth_type = trust
    auth_file = \(folder)/users
    pool_mode = transaction
    default_pool_size = \(poolSize)
    max_client_conn = 1000
    server_idle_timeout = 2
    pidfile = \(folder)/pid
    """.write(toFile: folder + "/ini", atomically: true, encoding: .utf8)
    try users.map { "\"\($0)\" \"\"" }.joined(separator: "\n").appending("\n")
      .write(toFile: folder + "/users", atomically: true, encoding: .utf8)
    let supervisor = try Supervisor(script: script, folder: folder, arguments: [])
    try await supervisor.order()
    return TemporaryPooler(supervisor, tcpPort: tcpPort)
  }

  /// It says "process up" when it listens; its words go to a file until it ends, and then the folder goes. The shell's
  /// own `wait` is of no use: a test process may have started it with SIGCHLD blocked.
  private static let script = """
    if [ "$(id -u)" = 0 ]; then chown -R postgres "$folder"; fi
    as_server pgbouncer "$folder/ini" 2>&1 | {
      while read -r words; do
        echo "$words" >>"$folder/log"
        case $words in *"process up"*) echo ok ;; *FATAL*) echo failed ;; esac
      done
      rm -rf "$folder"
    } &
    while read -r order; do echo failed; done
    kill -9 "$(cat "$folder/pid")"
    """

  package func end() async throws { try await supervisor.end() }

  package func url(database: String, user: String = "postgres") -> String {
    "postgres:///\(database)?host=\(supervisor.folder)&port=\(Self.socketPort)&user=\(user)"
  }

  package func configuration(database: String, user: String = "postgres") throws -> ConnectionConfiguration {
    try ConnectionConfiguration(
      url: url(database: database, user: user), pooler: .transaction, applicationName: "mandate-tests")
  }
}

private actor SharedPooler {
  static let instance = SharedPooler()
  private var starting: Task<TemporaryPooler, any Error>?

  func get() async throws -> TemporaryPooler {
    if let starting { return try await starting.value }
    let task = Task { try await TemporaryPooler.start(before: try await .shared()) }
    starting = task
    return try await task.value
  }
}
