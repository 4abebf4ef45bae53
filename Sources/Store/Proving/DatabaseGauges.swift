// Figures of the database for a service's metrics: queues, open grants, due missions. No ids, and bounded work.

package import Postgres

package struct DatabaseGauge: Sendable, Hashable {
  package let name: String
  /// The queue's topic, or empty.
  package let label: String
  package let value: Double
}

package enum DatabaseGauges {
  nonisolated(nonsending)
    package static func read(_ pool: PostgresPool, deadline: Deadline? = nil) async throws(PostgresError)
    -> [DatabaseGauge]
  {
    var gauges: [DatabaseGauge] = []
    for row in try await pool.query(reading.bind(), deadline: deadline) {
      gauges.append(DatabaseGauge(name: try row.get(0), label: try row.get(1), value: try row.get(2)))
    }
    return gauges
  }

  private static let reading = Statement("SELECT g.name, g.label, g.value FROM mana_ai.gauges() AS g")
}
