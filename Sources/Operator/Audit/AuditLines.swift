// The form in which audits leave us: one JSON object a line, each of them a row, the cut that a chain begins behind, or
// the end of a chain. docs/formats.md fixes what a row's hash is made of; Tests/Independent/verify_audit.py verifies
// such a file with nothing but a library's SHA-256.

import Contracts
import Store

enum AuditLines {
  static func row(_ row: AuditRow) -> String {
    let entry = row.entry
    return line([
      ("user", .string(entry.user.text)), ("seq", number(entry.seq)), ("ts", .string(entry.timestamp)),
      ("mission", .string(entry.mission)), ("grant", text(entry.grant)), ("iteration", text(entry.iteration)),
      ("table", .string(entry.table)), ("record", .string(entry.record)), ("status", .string(entry.status)),
      ("reason", text(entry.reason)), ("purpose", text(entry.purpose)), ("batch", text(entry.batch)),
      ("of_seq", entry.ofSeq.map(number) ?? .null), ("hash", .string(Contracts.Hex.encode(row.hash))),
    ])
  }

  static func cut(_ user: Identifier, _ end: ChainHead) -> String { line([("cut", value(user, end))]) }

  static func head(_ user: Identifier, _ end: ChainHead) -> String { line([("head", value(user, end))]) }

  /// The end of a chain in a line, nil for every other line.
  static func readHead(_ line: Span<UInt8>) throws(JSONProblem) -> (user: Identifier, end: ChainHead)? {
    guard let head = try JSONValue(parsing: line).object?["head"]?.object else { return nil }
    guard let user = head["user"]?.text, case .number(let seq)? = head["seq"], let seq = Int64(seq.text),
      let hash = head["hash"]?.text.flatMap({ Contracts.Hex.decode($0) }), hash.count == 32
    else { throw .syntax(offset: 0) }
    return (Identifier(user), ChainHead(seq: seq, hash: hash))
  }

  private static func value(_ user: Identifier, _ end: ChainHead) -> JSONValue {
    object([("user", .string(user.text)), ("seq", number(end.seq)), ("hash", .string(Contracts.Hex.encode(end.hash)))])
  }

  private static func line(_ members: [(String, JSONValue)]) -> String { object(members).compactText() + "\n" }

  private static func object(_ members: [(String, JSONValue)]) -> JSONValue {
    .object(JSONObject(members.map { (JSONString($0.0), $0.1) }))
  }

  private static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
  private static func number(_ value: Int64) -> JSONValue { .number(JSONNumber(Int(value))) }
}
