// Time as a means of attack: work that is queued behind other people's, and answers that nobody waits for any more.

import Contracts
import Cryptography
import Grants
import Postgres
import Secrets
import Synchronization
import Testing

@testable import InputResolver

@Suite("Time", .serialized)
struct HostileTimeTests {
  /// Takes its time over each key, as a machine would that holds them.
  private struct SlowUnwrapper: Unwrapper {
    let keys: ResolverKeys
    let asked: Counter
    let isDone: @Sendable () -> Bool

    var keyIds: [String] { keys.keyIds }

    func unwrap(
      _ wrapped: Span<UInt8>, label: Span<UInt8>, keyId: String
    ) throws(CryptographyError) -> SecretBytes {
      asked.add()
      while !isDone() {}
      return try keys.unwrap(wrapped, label: label, keyId: keyId)
    }
  }

  private final class Counter: Sendable {
    private let value = Mutex(0)
    func add() { value.withLock { $0 += 1 } }
    var count: Int { value.withLock { $0 } }
  }

  @Test("When a batch's time is over nothing more is opened, and what was released is on the log as failed")
  func late() async throws {
    try await World.with { world in
      var requests: [ResolveCall.Request] = []
      for user in (0..<12).map({ "u\($0)" }) {
        try await world.addUser(user)
        try await world.addNote(user, "n1", title: "T", content: "C")
        requests.append(request(user, "m", try await world.addGrant(user, "m", ["notes:n1"]).json, notes("n1")))
      }
      let asked = Counter()
      var rules = InputResolver.Rules()
      rules.batchTime = .milliseconds(1_500)
      // Somewhat behind the end of the batch, which begins later than this line.
      let over = Deadline.after(.milliseconds(3_000))
      let keys = SlowUnwrapper(keys: Pair.own.keys, asked: asked, isDone: { over.hasPassed })
      await #expect(throws: InputResolver.Failure.unavailable) {
        _ = try await world.resolver(keys, rules: rules).answers(requests)
      }
      #expect(asked.count == 2, "as many as there are threads; those behind them were given up")
      for user in requests.map(\.user) {
        #expect(try await world.log(user) == ["n1 ok", "n1 failed decrypt-failed 1"])
      }
    }
  }
}
