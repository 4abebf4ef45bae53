// What every service with a database looks at before it may be sent work: that it can write, that it is bound, and that
// both mean the same time.

package import Postgres
package import ServiceRuntime

package enum StoreChecks {
  /// A write and a short query each, so often that nobody is sent into an outage for long.
  private static let often = Duration.seconds(5)
  /// The proof reads the catalogs.
  private static let eachMinute = Duration.seconds(60)
  /// More names than this do not help who reads them; `mandate db verify` lists all.
  private static let mostNamed = 3

  package static func all(_ pool: PostgresPool, clock: WallClock = .system) -> [ReadinessCheck] {
    [
      ReadinessCheck(.audit, every: often) { await audit(pool) },
      ReadinessCheck(.isolation, every: eachMinute, within: .seconds(10)) { await isolation(pool) },
      ReadinessCheck.clock(clock, every: often) { await now(pool) },
    ]
  }

  private static func audit(_ pool: PostgresPool) async -> ReadinessCheck.Finding {
    do throws(AuditProbe.Failure) {
      _ = try await AuditProbe(pool).run()
      return .kept
    } catch {
      switch error {
      case .changedNothing: return .broken("mana_ai.audit_probe cannot be changed; run mandate db verify")
      case .database(let error): return .broken("\(error)")
      }
    }
  }

  private static func isolation(_ pool: PostgresPool) async -> ReadinessCheck.Finding {
    do throws(PostgresError) {
      let problems = try await HouseProof(pool).run()
      if problems.isEmpty { return .kept }
      let named = problems.prefix(mostNamed).map(\.description).joined(separator: "; ")
      return .broken(problems.count > mostNamed ? "\(named); and \(problems.count - mostNamed) more" : named)
    } catch {
      // An error proves nothing.
      return .broken("\(error)")
    }
  }

  private static func now(_ pool: PostgresPool) async -> Moment? {
    do throws(PostgresError) {
      return Moment(microseconds: try await pool.query(clock.bind()).only().get(0))
    } catch {
      // The audit check meets the same trouble and says what it is.
      return nil
    }
  }

  private static let clock = Statement("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
}
