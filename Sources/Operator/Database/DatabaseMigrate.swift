// `mandate db migrate`: every migration that the database has not taken yet.

import Postgres
import ServiceRuntime
import Store

enum DatabaseMigrate {
  static let command = Command(
    group: "db", name: "migrate", summary: "Bring the database to what this version needs.",
    details: [
      "Logs in as mandate_owner. Each migration is one transaction, so whatever ends this command leaves the database "
        + "between two of them, and the next run goes on there. Two that run at once take turns. A migration that was "
        + "changed after a database took it is refused, and so is a database that is newer than this program.",
      DatabaseCommands.whichDatabase,
    ],
    options: [DatabaseCommands.folder, DatabaseCommands.url],
    examples: ["mandate db migrate", "mandate db migrate --json"],
    run: { invocation async throws(CommandFailure) in try await run(invocation) })

  private struct Answer: Encodable {
    struct Step: Encodable {
      let migration: String
      let isNew: Bool
      let touched: String?
    }
    let steps: [Step]
  }

  private static func run(_ invocation: Invocation) async throws(CommandFailure) -> Report {
    let configuration = try DatabaseCommands.configuration(invocation, as: StoreRole.owner.rawValue)
    let steps = try await DatabaseCommands.withPool(configuration) { pool throws(CommandFailure) in
      try await DatabaseCommands.telling { () throws(PreparationError) in
        var done = 0
        return try await Migrator(pool).run { step in
          done += 1
          if step.isNew { Progress.note("\(done) of \(Migration.all.count): \(step.name)") }
        }
      }
    }
    let answer = Answer(steps: steps.map { .init(migration: $0.name, isNew: $0.isNew, touched: $0.touched) })
    return Report(text: text(steps), json: JSONText.of(answer))
  }

  private static func text(_ steps: [Migrator.Step]) -> String {
    let new = steps.filter { $0.isNew }
    let lines = new.map { "\($0.name)\($0.touched.map { ": \($0)" } ?? "")\n" }
    guard !new.isEmpty else { return "The database is up to date; \(steps.count) migrations were taken before.\n" }
    return lines.joined() + "Took \(new.count) of \(steps.count) migrations.\n"
  }
}
