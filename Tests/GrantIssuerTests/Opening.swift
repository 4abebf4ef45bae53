// The other end of a grant: receipts, the resolver's private key, and the keys that its owner derives for comparison.

import Contracts
import Cryptography
import Foundation
import Grants
import Postgres
import Secrets
import Store
import Testing

@testable import GrantIssuer

extension Office {
  /// What a resolver gets for each record: "n1 opened" where the share holds the very key that the owner's own
  /// derivation gives, else the reason.
  func openAll(
    _ user: String, _ mission: String, _ grant: String, _ records: [String], under master: borrowing SecretBytes
  ) async throws -> [String] {
    let opening = MissionOpening(
      scope: try UserScope(Identifier(user)), mission: Identifier(mission), authority: .grant(Identifier(grant)),
      iteration: Identifier("i"), purpose: Identifier("mission-tick"),
      wishes: records.map {
        MissionOpening.Wish(
          RecordAddress(app: Identifier("notes"), table: Identifier("notes"), record: Identifier($0)))
      })
    let receipts = Receipts(resolver) { UUID().uuidString.lowercased() }
    var answers: [String] = []
    for unit in try ReceiptUnit.units(of: [opening]) {
      var released = await receipts.release(unit)
      while var mission = released.next() {
        if let failure = mission.failure { answers.append("failure \(failure)") }
        while let record = mission.next() {
          switch consume record {
          case .refused(let refused): answers.append("\(refused.address.record.text) \(refused.reason.rawValue)")
          case .released(let receipt, _, copies: _):
            let isRight = try Self.isRight(receipt, user, under: master)
            answers.append("\(receipt.address.record.text) \(isRight ? "opened" : "wrong key")")
          }
        }
      }
    }
    return answers
  }

  private static func isRight(
    _ receipt: borrowing AuditReceipt, _ user: String, under master: borrowing SecretBytes
  ) throws -> Bool {
    guard let grant = receipt.grant, let share = receipt.share, let label = GrantLabel(parsing: grant.claims) else {
      return false
    }
    let record = RecordName(
      table: try TableName(receipt.address.table.text), record: receipt.address.record)
    var deriver = try KeyDeriver()
    let expected = try deriver.recordKey(master: master, user: Identifier(user), record: record)
    let sealed = FieldCheck.sealed(under: expected, user: user, record: record)
    return try SealedGrantV2.withOpen(
      wrapped: grant.wrappedKey, label: label, keys: pair.keys, user: Identifier(user), mission: label.mission,
      now: Instant(milliseconds: 0)
    ) { open -> Bool in
      do {
        var cipher = try AESGCM()
        let key = try open.recordKey(record, row: share, with: &cipher)
        return FieldCheck.opens(sealed, under: key, user: user, record: record)
      } catch { return false }
    }
  }

  func enterZeroKnowledge(_ caller: Caller) async throws {
    _ = try await issuer.setRecovery(try .sample, by: caller).get()
    _ = try await issuer.changeZeroKnowledge(.enter, by: caller).get()
  }
}
