// Notes and snapshots from before positions are taken over: their records are folded once from the first row.

import Contracts
import Missions
import Postgres
import Store
import StoreSupport
import Testing

@Suite struct ProjectionMigrationTests {
  @Test(
    "Notes that wait while positions are introduced are taken, and mix with those that have one",
    arguments: Road.allCases)
  func waitingNotes(road: Road) async throws {
    let database = try await PreparedDatabase.make(migrated: false, road: road)
    try await database.migrate(Array(Migration.all.prefix(16)))
    let change = """
      INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id)
      VALUES ('ai', 'aiMissions', 'm', 'a', 'update', '{"NAME":1}', 'd'), ('ai', 'agents', 'g', 'a', 'update', '{"NAME":1}', 'd')
      """
    try await database.script(change.replacing("NAME", with: "before"))
    try await database.script(
      """
      INSERT INTO mana_ai.mission_snapshots (user_id, mission_id, record) VALUES ('a', 'm', '{"wrong":1,"__fieldMeta":{}}')
      """)
    let steps = try await database.migrate()
    #expect(steps.first(where: \.isNew)?.name == "m0017_positions")
    try await database.script(change.replacing("NAME", with: "behind"))
    #expect(
      try await database.texts("SELECT count(*) || ' ' || count(change_id) FROM mana_ai.change_queue") == ["4 2"])
    let tally = try await database.withPool(as: .runner) { try await ProjectionRefresh($0, by: FoldState.self).run() }
    #expect(tally.notes == 4 && tally.rows == 4 && tally.created == 1 && tally.refolded == 1)
    let records = """
      SELECT (record - '__fieldMeta')::text FROM mana_ai.mission_snapshots WHERE last_applied_id IS NOT NULL
      UNION ALL SELECT (record - '__fieldMeta')::text FROM mana_ai.agent_snapshots WHERE last_applied_id IS NOT NULL
      """
    #expect(
      try await database.texts(records) == [
        #"{"id": "m", "before": 1, "behind": 1}"#, #"{"id": "g", "before": 1, "behind": 1}"#,
      ])
  }
}
