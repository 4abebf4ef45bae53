// The run as one JSON object; docs/vectors.md describes its members.

import Contracts
import ServiceRuntime

enum JSONReport {
  static func text(_ summary: Summary) -> String {
    let files = summary.reports.compactMap(file)
    let report: JSONValue = object([
      ("tool", .string("mandate-vectors")), ("version", .string(ProductVersion.current)),
      ("exit", number(Int(summary.exitCode.rawValue))), ("totals", totals(summary.totals)), ("files", .array(files)),
      ("passedOver", .array(summary.passedOver.map(JSONValue.string))),
    ])
    return report.compactText() + "\n"
  }

  private static func totals(_ totals: Totals) -> JSONValue {
    object([
      ("files", number(totals.files)), ("cases", number(totals.cases)), ("run", number(totals.run)),
      ("passed", number(totals.passed)), ("failed", number(totals.failed)), ("setApart", number(totals.setApart)),
      ("skipped", number(totals.skipped)), ("brokenFiles", number(totals.broken)),
      ("notUnderstood", number(totals.notUnderstood)),
    ])
  }

  private static func file(_ report: FileReport) -> JSONValue? {
    let path = ("path", JSONValue.string(report.path))
    switch report.verdict {
    case .checked(let kind, let tally):
      let status = tally.failed == 0 ? "passed" : "failed"
      return object([path, ("status", .string(status)), ("kind", .string(kind))] + counts(tally))
    case .broken(let kind, let why):
      let kind = kind.map { [("kind", JSONValue.string($0))] } ?? []
      return object([path, ("status", .string("broken"))] + kind + [("why", .string(why))])
    case .notUnderstood(let what, let later):
      let status = later ? "not understood yet" : "not understood"
      return object([path, ("status", .string(status)), ("why", .string(what))])
    case .passedOver: return nil
    }
  }

  private static func counts(_ tally: Tally) -> [(String, JSONValue)] {
    [
      ("cases", number(tally.cases)), ("run", number(tally.run)), ("passed", number(tally.passed)),
      ("failed", number(tally.failed)), ("setApart", reasons(tally.setApart)), ("skipped", reasons(tally.skipped)),
      (
        "failures",
        .array(tally.failures.map { object([("id", .string($0.id)), ("what", .string($0.what))]) })
      ),
    ]
  }

  private static func reasons(_ reasons: [String: Int]) -> JSONValue {
    object(reasons.sorted { $0.key < $1.key }.map { ($0.key, number($0.value)) })
  }

  private static func object(_ members: [(String, JSONValue)]) -> JSONValue { .object(JSONObject(members: members)) }
  private static func number(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }
}
