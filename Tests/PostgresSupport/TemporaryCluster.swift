// A PostgreSQL cluster that lives as long as a test run: in a folder of its own, reachable over a Unix socket there
// and, for the TLS tests alone, over TCP on this machine. Never on the port where a real server would be.

import Foundation
package import Postgres

package final class TemporaryCluster: Sendable {
  package struct Options: Sendable {
    /// Lines for postgresql.conf.
    package var settings: [String] = []
    /// Lines for pg_hba.conf, looked at before the last one, which trusts whoever reaches the socket's folder.
    package var access: [String] = []
    /// Also listen on 127.0.0.1, with a certificate for `localhost` from a throw-away authority.
    package var tls = false
    package init() {}

    /// What it has committed it keeps, whatever happens to it. Services refuse to work with anything else.
    package static var durable: Options {
      var options = Options()
      options.settings = ["fsync = on", "synchronous_commit = on", "full_page_writes = on"]
      return options
    }
  }

  private let supervisor: Supervisor
  /// 0 where it does not listen on TCP.
  package let tcpPort: Int
  /// The part of the socket's name that stands for a port.
  package static let socketPort = 54_320
  package var port: Int { tcpPort == 0 ? Self.socketPort : tcpPort }

  package var folder: String { supervisor.folder }
  package var socketFolder: String { folder }

  private init(supervisor: Supervisor, tcpPort: Int) {
    self.supervisor = supervisor
    self.tcpPort = tcpPort
  }

  /// One cluster for all suites of a test process that need nothing special.
  package static func shared() async throws -> TemporaryCluster { try await SharedCluster.instance.get() }

  /// The same for those that start a service, which refuses a server that may forget what it has committed.
  package static func durable() async throws -> TemporaryCluster { try await SharedCluster.lasting.get() }

  package static func start(_ options: Options = Options()) async throws -> TemporaryCluster {
    let folder = try TemporaryFolder.make()
    if options.tls { try TestCertificates.make(in: folder) }
    try (speed + options.settings + (options.tls ? TestCertificates.settings(folder) : []))
      .joined(separator: "\n").write(toFile: folder + "/extra.conf", atomically: true, encoding: .utf8)
    try (options.access + ["local all all trust", "host all all 127.0.0.1/32 trust"])
      .joined(separator: "\n").appending("\n").write(toFile: folder + "/hba.conf", atomically: true, encoding: .utf8)
    let supervisor = try Supervisor(
      script: script, folder: folder, arguments: [try programs(), "\(socketPort)", options.tls ? "tcp" : "socket"])
    let answer = try await supervisor.order()
    return TemporaryCluster(supervisor: supervisor, tcpPort: answer.last.flatMap { Int($0) } ?? 0)
  }

  /// The cluster's data need not survive anything.
  private static let speed = [
    "fsync = off", "synchronous_commit = off", "full_page_writes = off", "shared_buffers = 64MB",
    "max_connections = 200", "logging_collector = off", "log_min_messages = log", "log_line_prefix = '%p '",
    "autovacuum_naptime = 1h",
  ]

  private static func programs() throws -> String {
    let folder = try Supervisor.run("pg_config", ["--bindir"])
    guard FileManager.default.isExecutableFile(atPath: folder + "/initdb") else {
      throw SupportError.missing("the PostgreSQL server (postgresql-15)")
    }
    return folder
  }

  private static let script = """
    programs=$2; socket_port=$3; listen=$4; port=0
    if [ "$(id -u)" = 0 ]; then chown -R postgres "$folder"; fi
    control() { as_server "$programs/pg_ctl" -D "$folder/data" -l "$folder/log" -w "$@" >/dev/null 2>&1; }
    start() {
      if [ $listen = socket ]; then
        control start -o "-k $folder -p $socket_port -c listen_addresses=''"
      else
        control start -o "-k $folder -p $port -c listen_addresses=127.0.0.1"
      fi
    }
    # Its children notice and end by themselves; until then a new one can't start.
    crash() {
      postmaster=$(head -n 1 "$folder/data/postmaster.pid")
      children=$(awk -v parent="$postmaster" '$4 == parent { print $1 }' /proc/[0-9]*/stat 2>/dev/null)
      kill -9 "$postmaster"
      for child in $children; do while kill -0 "$child" 2>/dev/null; do sleep 0.02; done; done
    }
    first_start() {
      if [ $listen = socket ]; then start; return; fi
      for attempt in 1 2 3 4 5; do
        port=$(shuf -i 20000-32000 -n 1)
        if start; then return 0; fi
      done
      return 1
    }
    as_server "$programs/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync \
      >"$folder/initdb.log" 2>&1 &&
      cat "$folder/extra.conf" >>"$folder/data/postgresql.conf" &&
      cat "$folder/hba.conf" >"$folder/data/pg_hba.conf" &&
      first_start && echo "ok $port" || echo failed
    while read -r order; do
      case $order in
        stop) control stop -m fast ;;
        abort) control stop -m immediate ;;
        start) start ;;
        restart) control stop -m fast; start ;;
        reload) control reload ;;
        crash) crash ;;
        # The next start goes into recovery, finds nothing to replay, and stays there.
        standby) control stop -m fast && as_server touch "$folder/data/standby.signal" && start ;;
        promote) control promote ;;
        *) false ;;
      esac && echo ok || echo failed
    done
    control stop -m immediate
    rm -rf "$folder"
    """

  // MARK: Orders

  package enum Order: String, Sendable {
    case stop, start, restart, reload
    /// Stops it at once, without writing down what it still holds; the next start recovers.
    case abort
    /// Kills the postmaster as the kernel would when memory runs out.
    case crash
    /// Starts it anew as a standby: it answers questions and takes no changes.
    case standby
    case promote
  }

  package func order(_ order: Order) async throws { try await supervisor.order(order.rawValue) }

  /// Stops it now instead of at the end of the process.
  package func end() async throws { try await supervisor.end() }

  // MARK: Where it is

  package func url(database: String = "postgres", user: String = "postgres") -> String {
    "postgres:///\(database)?host=\(socketFolder)&port=\(port)&user=\(user)"
  }

  package func configuration(
    database: String = "postgres", user: String = "postgres"
  ) throws -> ConnectionConfiguration {
    try ConnectionConfiguration(url: url(database: database, user: user), applicationName: "mandate-tests")
  }

  /// A new, empty database with a name that no other suite has.
  package func makeDatabase(from template: String = "template1") async throws -> String {
    let name = "test_\(UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased())"
    let pool = PostgresPool(try configuration(), limits: PoolLimits(minimum: 0, maximum: 1))
    try await pool.withSession { session throws(PostgresError) in
      try await session.script("CREATE DATABASE \(try quoteIdentifier(name)) TEMPLATE \(try quoteIdentifier(template))")
    }
    _ = await pool.drain(deadline: .after(.seconds(10)))
    return name
  }

  /// What the server has logged so far.
  package func log() throws -> String { try String(contentsOfFile: folder + "/log", encoding: .utf8) }
}

private actor SharedCluster {
  static let instance = SharedCluster()
  static let lasting = SharedCluster(.durable)

  private let options: TemporaryCluster.Options
  private var starting: Task<TemporaryCluster, any Error>?

  init(_ options: TemporaryCluster.Options = TemporaryCluster.Options()) { self.options = options }

  func get() async throws -> TemporaryCluster {
    if let starting { return try await starting.value }
    let task = Task { [options] in try await TemporaryCluster.start(options) }
    starting = task
    return try await task.value
  }
}
