// Each row of a user's audit carries the hash of all rows before it.

package import Contracts
import Cryptography

package enum AuditChain {
  /// What stands before the first row.
  package static let start = [UInt8](repeating: 0, count: 32)

  /// `SHA-256(previous ‖ frame("mandate/v2/audit", …))`.
  package static func hash(after previous: [UInt8], _ entry: AuditEntry) -> [UInt8] {
    precondition(previous.count == 32, "a chain hash has 32 bytes")
    return SHA256.digest(previous + entry.frame.bytes)
  }
}
