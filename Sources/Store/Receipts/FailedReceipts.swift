// A receipt that came to nothing after all is appended to the log as such: once, soon, and for its own batch only.

package import Contracts
package import Postgres

package struct ReceiptFailure: Sendable, Hashable {
  package let receipt: ReceiptID
  package let reason: AuditReason

  package init(_ receipt: ReceiptID, _ reason: AuditReason) {
    self.receipt = receipt
    self.reason = reason
  }
}

/// The row that says so.
package struct AppendedFailure: Sendable, Hashable {
  package let receipt: ReceiptID
  package let head: ChainHead
}

/// What became of failures: each 1,000 of them are a transaction of their own, so some may stand where others don't.
package struct FailureReport: Sendable {
  package fileprivate(set) var appended: [AppendedFailure] = []
  /// How many could not be written, and why the last of them could not.
  package fileprivate(set) var unwritten = 0
  package fileprivate(set) var error: PostgresError?

  /// All or nothing, for who has no use for a part.
  package func get() throws(PostgresError) -> [AppendedFailure] {
    if let error { throw error }
    return appended
  }
}

extension Receipts {
  /// How often transactions may collide before that is the answer. Every collision lets one of them through.
  private static let failingAttempts = 10

  /// Appends what it can; a receipt that does not qualify (too old, failed already, another's) is passed over. Those of
  /// a transaction that failed don't cost the others theirs.
  nonisolated(nonsending)
    package func fail(_ failures: [ReceiptFailure], deadline: Deadline? = nil) async -> FailureReport
  {
    let deadline = self.deadline(deadline)
    let receipts = Dictionary(failures.map { (Key($0.receipt), $0.receipt) }) { first, _ in first }
    var report = FailureReport()
    var rest = failures[...]
    while !rest.isEmpty {
      let part = rest.prefix(ReceiptUnit.mostRecords)
      rest = rest.dropFirst(part.count)
      do throws(PostgresError) {
        report.appended += try await append(part, receipts, deadline)
      } catch {
        report.unwritten += part.count
        report.error = error
        // Whoever can't reach the database now need not ask it again for each of the others.
        guard error.isOfTheStatement else {
          report.unwritten += rest.count
          return report
        }
      }
    }
    return report
  }

  nonisolated(nonsending)
    private func append(
      _ part: ArraySlice<ReceiptFailure>, _ receipts: [Key: ReceiptID], _ deadline: Deadline
    ) async throws(PostgresError) -> [AppendedFailure]
  {
    let rows = try await withoutCollision(deadline) { () async throws(PostgresError) in
      try await query(Self.fail(part), deadline: deadline)
    }
    var appended: [AppendedFailure] = []
    for row in rows {
      guard let receipt = receipts[Key(batch: try row.get(0), seq: try row.get(1))] else {
        throw .decoding(DecodingProblem(column: 1, reason: .malformed))
      }
      appended.append(AppendedFailure(receipt: receipt, head: ChainHead(seq: try row.get(2), hash: try row.get(3))))
    }
    return appended
  }

  /// What lost against another transaction was rolled back as a whole, so it may be tried again.
  nonisolated(nonsending)
    private func withoutCollision<Value>(
      _ deadline: Deadline, _ body: nonisolated(nonsending) () async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value
  {
    for _ in 1..<Self.failingAttempts {
      do throws(PostgresError) { return try await body() } catch {
        guard error.isCollision, !deadline.hasPassed else { throw error }
      }
    }
    return try await body()
  }

  private struct Key: Hashable {
    let batch: String
    let seq: Int64
    init(_ receipt: ReceiptID) { self.init(batch: receipt.batch, seq: receipt.seq) }
    init(batch: String, seq: Int64) { (self.batch, self.seq) = (batch, seq) }
  }

  private static func fail(_ failures: ArraySlice<ReceiptFailure>) -> BoundStatement {
    failing.bind(
      .textArray(failures.map(\.receipt.batch)), .utf8Array(failures.map(\.receipt.user.utf8)),
      .int8Array(failures.map(\.receipt.seq)), .textArray(failures.map(\.reason.rawValue)))
  }

  private static let failing = Statement(
    "SELECT f.batch, f.of_seq, f.seq, f.hash FROM mana_ai.fail_receipts($1::uuid[], $2, $3, $4) AS f",
    .textArray, .textArray, .int8Array, .textArray)
}
