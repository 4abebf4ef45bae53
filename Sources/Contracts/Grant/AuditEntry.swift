// One row of a user's audit as the chain hashes it. The same bytes are framed in SQL, here, and by anyone who
// checks an exported log.

package struct AuditEntry: Sendable {
  package var user: Identifier
  /// The row's place in the user's chain, from 1 on, without gaps.
  package var seq: Int64
  /// `YYYY-MM-DDTHH:MM:SS.ffffffZ`, spelled by the database.
  package var timestamp: String
  package var mission: String
  package var grant: String?
  package var iteration: String?
  package var table: String
  package var record: String
  package var status: String
  package var reason: String?
  package var purpose: String?
  package var batch: String?
  /// The row that this one corrects, where it is a later failure.
  package var ofSeq: Int64?

  package init(
    user: Identifier, seq: Int64, timestamp: String, mission: String, grant: String?, iteration: String?,
    table: String, record: String, status: String, reason: String?, purpose: String?, batch: String?, ofSeq: Int64?
  ) {
    self.user = user
    self.seq = seq
    self.timestamp = timestamp
    self.mission = mission
    self.grant = grant
    self.iteration = iteration
    self.table = table
    self.record = record
    self.status = status
    self.reason = reason
    self.purpose = purpose
    self.batch = batch
    self.ofSeq = ofSeq
  }

  /// Absent values are empty parts. That cannot be confused with empty strings, which no row may hold.
  package var frame: Frame {
    var frame = Frame(reservingBytes: 320)
    frame.add("mandate/v2/audit")
    frame.add(user)
    frame.add(seq)
    for part in [timestamp, mission, grant ?? "", iteration ?? "", table, record, status] { frame.add(part) }
    for part in [reason ?? "", purpose ?? "", batch ?? "", ofSeq.map(String.init) ?? ""] { frame.add(part) }
    return frame
  }
}

/// Byte for byte, and an absent value is not an empty one. The equality that the compiler would write takes `é` and
/// `e` + U+0301 for the same record.
extension AuditEntry: Equatable {
  package static func == (left: AuditEntry, right: AuditEntry) -> Bool {
    left.seq == right.seq && left.ofSeq == right.ofSeq && left.texts == right.texts
  }

  private var texts: [Identifier?] {
    let texts = [timestamp, mission, grant, iteration, table, record, status, reason, purpose, batch]
    return [user] + texts.map { text in text.map { Identifier($0) } }
  }
}
