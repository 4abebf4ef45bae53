// `mandate db status`: whether the folder's PostgreSQL runs, where everything is, and how each role logs in.

import ServiceRuntime
import Store

enum DatabaseStatus {
  static let command = Command(
    group: "db", name: "status", summary: "Show whether this folder's PostgreSQL runs, and where it is.",
    details: [
      "The URLs hold no secret: each names the file of its role's password. A process gets its own as "
        + "MANDATE_DATABASE_URL. Ends with 1 if it is not running."
    ],
    options: [DatabaseCommands.folder], examples: ["mandate db status", "mandate db status --json"],
    run: { invocation async throws(CommandFailure) in try run(invocation) })

  private struct Answer: Encodable {
    let state: PrivateCluster.State
    let data: String
    let log: String
    let socketFolder: String
    let urls: [String: String]
  }

  private static func run(_ invocation: Invocation) throws(CommandFailure) -> Report {
    let path = DatabaseCommands.path(invocation)
    let found = try ClusterFolder.find(path)
    guard found != nil else { throw .refused("this folder has no PostgreSQL of its own: mandate db start") }
    let cluster = try PrivateCluster(try ClusterFolder(making: path), settings: invocation.settings)
    var urls: [String: String] = [:]
    for role in [PrivateCluster.superuser] + StoreRole.allCases.map(\.rawValue) {
      guard PasswordFiles.isThere(role, in: cluster.place.folder) else { continue }
      urls[role] = cluster.place.url(as: role)
    }
    let answer = Answer(
      state: try cluster.state(), data: cluster.data, log: cluster.log, socketFolder: cluster.place.sockets, urls: urls)
    return Report(text: text(answer), json: JSONText.of(answer), isClean: answer.state == .running)
  }

  private static func text(_ answer: Answer) -> String {
    let facts = Facts.text([
      ("state", answer.state.rawValue), ("socket in", Printable.name(answer.socketFolder)),
      ("data", Printable.name(answer.data)), ("log", Printable.name(answer.log)),
    ])
    var table = TextTable(headings: ["ROLE", "MANDATE_DATABASE_URL"])
    for (role, url) in answer.urls.sorted(by: { $0.key < $1.key }) { table.add([role, url]) }
    return facts + (table.isEmpty ? "" : "\n" + table.text)
  }
}
