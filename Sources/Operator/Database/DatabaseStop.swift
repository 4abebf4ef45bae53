// `mandate db stop`: ends the folder's PostgreSQL; what it holds stays.

import ServiceRuntime

enum DatabaseStop {
  static let command = Command(
    group: "db", name: "stop", summary: "Stop the PostgreSQL of this folder; what it holds stays.",
    details: ["Ends all sessions; what they have not committed is rolled back."],
    options: [DatabaseCommands.folder], examples: ["mandate db stop"],
    run: { invocation async throws(CommandFailure) in try run(invocation) })

  private struct Answer: Encodable { let stopped: Bool }

  private static func run(_ invocation: Invocation) throws(CommandFailure) -> Report {
    let path = DatabaseCommands.path(invocation)
    let found = try ClusterFolder.find(path)
    guard found != nil else { throw .refused("this folder has no PostgreSQL of its own: mandate db start") }
    let cluster = try PrivateCluster(try ClusterFolder(making: path), settings: invocation.settings)
    let stopped = try cluster.stop()
    return Report(
      text: stopped ? "Stopped PostgreSQL for this folder.\n" : "PostgreSQL for this folder was not running.\n",
      json: JSONText.of(Answer(stopped: stopped)))
  }
}
