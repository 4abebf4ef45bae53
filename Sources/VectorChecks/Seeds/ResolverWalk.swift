// The way of one input through the gates that stand before the formatting, under a v1 grant: module, consent, record,
// opening. The database's part of it (receipts, rows of the audit) is the resolver's own and tested there; here the
// reasons are held against the rows that the reference wrote.

import Contracts
import Grants
import Missions

extension ResolverFormat {
  /// How one input ended.
  private enum Ending: Equatable {
    case shown(Shown)
    case unknownModule
    case notGranted
    case notInGrant
    case missing
    case refused(FieldRefusal)
    case broken(String)
  }

  static func checkResolve(_ fields: CaseFields, _ keys: TestMissionKeys) throws(CaseProblem) -> Outcome {
    let expected = try fields.fields("expected")
    let ending = try walk(fields, keys)
    if case .broken(let why) = ending { return .failed(why) }
    if case .shown(let shown) = ending {
      let rows = try auditRows(expected)
      // Reads that need no consent leave no row in the reference; ours do (docs/flaws.md, F-21).
      let isRead = try expected.bool("readRecord")
      guard isRead, rows == [] || rows == ["ok"] else { return .failed("shown, but its row is \(rows)") }
      return try judge(shown, expected)
    }
    guard expected["result"]?.isNull == true else {
      // The reference doesn't hold the table against the module (docs/flaws.md, F-33).
      let isOurs = try isMismatch(fields)
      return ending == .unknownModule && isOurs ? .setApart(Apart.moduleMap) : .failed("nothing came out")
    }
    let (rows, read) = (try auditRows(expected), try expected.bool("readRecord"))
    switch ending {
    case .unknownModule, .notGranted: return .passed(unless: rows == [] && !read ? nil : "another gate closed")
    case .notInGrant:
      let isSame = rows == ["scope-violation record-not-in-grant-allowlist"] && !read
      return .passed(unless: isSame ? nil : "another gate closed")
    case .missing: return rows == [] && read ? .setApart(Apart.auditMore) : .failed("another gate closed")
    case .refused(let why):
      guard read, rows.count == 1, rows[0].hasPrefix("failed ") else { return .failed("another gate closed") }
      if rows == ["failed \(why.rawValue)"] { return .passed }
      return isWording(rows[0], why) ? .setApart(Apart.reason) : .failed("another reason")
    case .shown, .broken: return .failed("not an ending without a result")
    }
  }

  /// What a search in the engine's messages makes of our reasons: a tag that does not match has a message without the
  /// words that the reference looks for; the message of a JSON error quotes text, which may hold any of them. What is
  /// malformed it says itself.
  private static func isWording(_ row: String, _ why: FieldRefusal) -> Bool {
    switch why {
    case .ciphertextTampered: row == "failed \(FieldRefusal.decryptFailed.rawValue)"
    case .decryptFailed: FieldRefusal.allCases.contains { row == "failed \($0.rawValue)" }
    default: false
    }
  }

  private static func isMismatch(_ fields: CaseFields) throws(CaseProblem) -> Bool {
    let ref = try fields.fields("ref")
    let (module, table) = (try ref.text("module"), try ref.text("table"))
    return InputModule.named(module) != nil && InputModule.named(module, table: table) == nil
  }

  private static func auditRows(_ expected: CaseFields) throws(CaseProblem) -> [String] {
    guard let rows = try expected.value("auditRows").array else { throw CaseProblem(why: "auditRows is not a list") }
    var words: [String] = []
    for row in rows {
      let row = CaseFields(json: row)
      words.append(try row.text("status") + (row["reason"]?.text.map { " " + $0 } ?? ""))
    }
    return words
  }

  private static func walk(_ fields: CaseFields, _ keys: TestMissionKeys) throws(CaseProblem) -> Ending {
    let ref = try fields.fields("ref")
    let (table, id) = (try ref.text("table"), try ref.text("id"))
    guard let module = InputModule.named(try ref.text("module"), table: table) else { return .unknownModule }
    let stored = try record(of: fields, id: id)
    guard module.needsGrant else {
      return stored.map { .shown(Shown(module, PlainRecord(object: $0))) } ?? .missing
    }
    guard !(try fields.value("mdkHex").isNull), !(try fields.value("allowlist").isNull) else { return .notGranted }
    let key = try keys.key(try fields.hex("mdkHex"))
    let allowed = Set(try fields.texts("allowlist").map { Identifier($0) })
    guard allowed.contains(Identifier(table + ":" + id)) else { return .notInGrant }
    guard let stored else { return .missing }
    do throws(FieldFailure) {
      var codec = try Enc1.codec()
      return .shown(Shown(module, try codec.openRecord1(stored, key: key.missionKey)))
    } catch {
      switch error {
      case .refused(let why): return .refused(why)
      case .failed: return .broken("our own failure: \(error)")
      }
    }
  }
}

extension Apart {
  static let moduleMap = "F-33 table of another module"
  static let auditMore = "DEV-5 audited by us alone"
}
