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

extension Receipts {
  /// Answers what was appended; a receipt that does not qualify (too old, failed already, another's) is passed over.
  /// Each 1,000 are a transaction of their own.
  nonisolated(nonsending)
    package func fail(
      _ failures: [ReceiptFailure], deadline: Deadline? = nil
    ) async throws(PostgresError) -> [AppendedFailure]
  {
    let receipts = Dictionary(failures.map { (Key($0.receipt), $0.receipt) }) { first, _ in first }
    var appended: [AppendedFailure] = []
    var rest = failures[...]
    while !rest.isEmpty {
      let part = rest.prefix(ReceiptUnit.mostRecords)
      rest = rest.dropFirst(part.count)
      for row in try await query(Self.fail(part), deadline: deadline) {
        let key = Key(batch: try row.get(0), seq: try row.get(1))
        guard let receipt = receipts[key] else { throw .decoding(DecodingProblem(column: 1, reason: .malformed)) }
        appended.append(
          AppendedFailure(receipt: receipt, head: ChainHead(seq: try row.get(2), hash: try row.get(3))))
      }
    }
    return appended
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
