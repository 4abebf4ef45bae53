// Row `derive`: record keys, against the same HKDF in C.

import CYardsticks
import Contracts
import Cryptography
import Grants
import Secrets

enum DeriveRow {
  static let row = Row(name: "derive", unit: "keys/s", mark: 0.8) {
    let master = try SecureRandom.secret(32)
    let user = try Identifier(checking: "3f0c8b1e-0000-4000-8000-000000000001")
    let record = RecordName(
      table: try TableName("notes"), record: try Identifier(checking: "9b2f41aa-0000-4000-8000-000000000002"))
    var deriver = try KeyDeriver()
    let ours = try Stopwatch.rate(seconds: 0.4, batch: 2000) { batch in
      for _ in 0..<batch { _ = try deriver.recordKey(master: master, user: user, record: record) }
    }
    let rounds = Int(ours * 0.4)
    // The info is as long as the frame that the record key is made over.
    let seconds = yardstick_hkdf(rounds, 4 * 4 + "mandate/v2/record-key".utf8.count + 36 + 5 + 36)
    guard seconds > 0 else { throw YardstickProblem(why: "the C loop over HKDF failed") }
    return Row.Pair(ours: ours, yardstick: Double(rounds) / seconds)
  }
}
