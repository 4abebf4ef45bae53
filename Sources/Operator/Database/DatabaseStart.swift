// `mandate db start`: a running PostgreSQL for this folder, whatever was before.

import Postgres
import ServiceRuntime

enum DatabaseStart {
  static let command = Command(
    group: "db", name: "start", summary: "Start a PostgreSQL of this folder's own, making it first if need be.",
    details: [
      "It listens on a Unix socket alone, in a folder that nobody else may enter, and asks every role for its password, "
        + "which lies in a 0600 file below `.mandate/passwords/`. Everything is kept below `.mandate/`; for root it is in "
        + "/var/lib/mandate and /run/mandate, run by the user `postgres`, and `.mandate/` says where.",
      "May be run at any time: it starts what is not running, after a reboot or a crash too. For production any other "
        + "PostgreSQL 15 or newer will do: see --url of the other commands.",
    ],
    options: [DatabaseCommands.folder], examples: ["mandate db start", "mandate db start --folder /srv/mandate"],
    run: { invocation async throws(CommandFailure) in try await run(invocation) })

  private struct Answer: Encodable {
    let started: Bool
    let database: String
  }

  private static func run(_ invocation: Invocation) async throws(CommandFailure) -> Report {
    let cluster = try PrivateCluster(
      try ClusterFolder(making: DatabaseCommands.path(invocation)), settings: invocation.settings)
    let started = try await cluster.start()
    try await makeDatabase(cluster.place)
    let state = started ? "Started PostgreSQL for this folder." : "PostgreSQL for this folder is running already."
    return Report(
      text: "\(state)\n", json: JSONText.of(Answer(started: started, database: ClusterFolder.database)))
  }

  private static let exists = Statement("SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)", .text)

  private static func makeDatabase(_ place: borrowing ClusterFolder) async throws(CommandFailure) {
    let configuration = try place.configuration(as: PrivateCluster.superuser, database: "postgres")
    try await DatabaseCommands.withPool(configuration) { pool throws(CommandFailure) in
      do {
        let isThere: Bool = try await pool.query(exists.bind(.text(ClusterFolder.database))).only().get(0)
        if isThere { return }
        try await pool.withSession { session throws(PostgresError) in
          try await session.script("CREATE DATABASE \(ClusterFolder.database) TEMPLATE template0 ENCODING 'UTF8'")
        }
      } catch { throw .refused("the database \(ClusterFolder.database) cannot be made: \(error).") }
    }
  }
}
