// What the issuer does without being asked: it follows the queue, and closes grants whose time is over each minute. Ends
// by cancellation.

import Postgres
import ServiceRuntime
import Store

package struct Housekeeping: Sendable {
  private let issuer: Issuer
  /// How long a mission's end may go unnoticed when the queue was empty a moment ago.
  static let queuePause = Duration.seconds(1)
  static let expiryPause = Duration.seconds(60)
  /// After a failure; the database needs no crowd at its door.
  static let troublePause = Duration.seconds(5)
  private static let expiredAtOnce: Int32 = 100

  package init(_ issuer: Issuer) { self.issuer = issuer }

  package func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await followQueue() }
      group.addTask { await closeExpired() }
    }
  }

  private func followQueue() async {
    while !Task.isCancelled {
      switch await issuer.closeGoneMissions() {
      case .success(let round) where round.changes > 0: continue
      case .success: await pause(Self.queuePause)
      case .failure(let problem):
        issuer.log.warning("The queue of changes could not be followed.", [.detail: .text(problem.detail ?? "")])
        await pause(Self.troublePause)
      }
    }
  }

  private func closeExpired() async {
    while !Task.isCancelled {
      await closeExpiredNow()
      await pause(Self.expiryPause)
    }
  }

  /// All of them, a hundred at a time. Users that are busy are passed over, so a round without any is the last one.
  package func closeExpiredNow() async {
    do throws(TransactionError<PostgresError>) {
      while try await GrantClosing(issuer.pool).closeExpired(limit: Self.expiredAtOnce) > 0, !Task.isCancelled {}
    } catch {
      issuer.log.warning("Expired grants could not be closed.", [.detail: .text("\(error.cause)")])
    }
  }

  private func pause(_ time: Duration) async {
    // Cut short by cancellation, which is how this ends.
    do { try await Task.sleep(for: time) } catch { return }
  }
}
