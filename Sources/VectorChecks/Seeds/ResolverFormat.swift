// resolver-format: a record, as it is or as it is stored → what a planner is shown of it. `format` cases go through the
// rules of the modules; `resolve` cases also through the gates and the opening that stand before them.

import Contracts
import Grants
import Missions
import Secrets

enum ResolverFormat {
  static let kind = SeedsFile.kind(
    "resolver-format", reference: "db/resolvers/encrypted.ts",
    prepare: { _ throws(UnreadableVectors) in TestMissionKeys.shared },
    check: { fields, keys throws(CaseProblem) in
      switch try fields.text("kind") {
      case "format": try checkFormat(fields)
      case "resolve": try checkResolve(fields, keys)
      default: throw CaseProblem(why: "kind is neither format nor resolve")
      }
    })

  /// What comes out of a record, as texts that need no wiping: all of it is published.
  struct Shown: Equatable {
    let title: String
    let content: String

    init(_ module: InputModule, _ record: borrowing some RecordFields & ~Copyable) {
      var title = WipedBytes()
      module.writeTitle(of: record, to: &title)
      var content = WipedBytes()
      module.writeContent(of: record, to: &content)
      self.title = String(decoding: [UInt8](copying: title.bytes), as: UTF8.self)
      self.content = String(decoding: [UInt8](copying: content.bytes), as: UTF8.self)
    }
  }

  // MARK: format

  private static func checkFormat(_ fields: CaseFields) throws(CaseProblem) -> Outcome {
    let (ref, expected) = (try fields.fields("ref"), try fields.fields("expected"))
    guard let module = InputModule.named(try ref.text("module")) else { return .failed("the module is not known") }
    guard JSONString(module.table) == JSONString(try ref.text("table")) else { return .failed("another table") }
    guard JSONString(module.app) == JSONString(try fields.text("appId")) else { return .failed("another app") }
    let record = try record(of: fields, id: try ref.text("id"))
    let shown = record.map { Shown(module, PlainRecord(object: $0)) }
    return try judge(shown, expected)
  }

  /// As the log holds it: one row.
  static func record(of fields: CaseFields, id: String) throws(CaseProblem) -> JSONObject? {
    guard let data = fields["record"] else { return nil }
    guard data.object != nil else { throw CaseProblem(why: "record is not an object") }
    let position = ChangePosition(microseconds: 0, id: ChangeID(0))
    return Replay.record(
      id: Identifier(id),
      rows: [ChangeRow(position: position, operation: .insert, data: data, fieldMeta: nil)])
  }

  static func judge(_ shown: Shown?, _ expected: CaseFields) throws(CaseProblem) -> Outcome {
    if expected["result"]?.isNull == true {
      return shown == nil ? .passed : .failed("something came out where nothing should")
    }
    guard let shown else { return .failed("nothing came out") }
    if expected["titleIsString"]?.bool == false {
      // The reference hands on whatever the field holds. Ours is always a text: the one JavaScript would make of it.
      let isSame = try expected.value("title").number.map { JSONString($0.javaScriptText) == JSONString(shown.title) }
      return isSame == true ? .setApart(Apart.coercion) : .failed("another title")
    }
    guard JSONString(shown.title) == JSONString(try expected.text("title")) else { return .failed("another title") }
    guard shown.title.utf16.count == (try expected.integer("titleUtf16Length")) else {
      return .failed("the title has another length")
    }
    guard expected["contentUtf16be"] != nil else {
      guard JSONString(shown.content) == JSONString(try expected.text("content")) else {
        return .failed("another content")
      }
      let length = try expected.integer("contentUtf16Length")
      return .passed(unless: shown.content.utf16.count == length ? nil : "the content has another length")
    }
    // The reference's half of a surrogate pair is left out, and all else is the same.
    let lossy = try expected.text("contentLossy")
    guard lossy.unicodeScalars.filter({ $0 == "\u{FFFD}" }).count == 1 else {
      throw CaseProblem(why: "contentLossy has not one half of a surrogate pair")
    }
    let whole = String(String.UnicodeScalarView(lossy.unicodeScalars.filter { $0 != "\u{FFFD}" }))
    guard JSONString(whole) == JSONString(shown.content) else { return .failed("another content") }
    guard shown.content.utf16.count == (try expected.integer("contentUtf16Length")) - 1 else {
      return .failed("the content has another length")
    }
    return .setApart(Apart.loneSurrogate)
  }
}
