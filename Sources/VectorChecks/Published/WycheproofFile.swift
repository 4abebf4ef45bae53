// The shape that all files of Project Wycheproof share: groups of tests, each valid, invalid or acceptable.

import Contracts
import Cryptography

enum WycheproofFile {
  /// What says that a file is one of theirs, and which.
  struct Head: Sendable {
    let algorithm: String
    let schema: String
    let numberOfTests: Int
    let groups: [JSONValue]

    init?(_ content: VectorContent) {
      guard case .json(let json) = content, let algorithm = json["algorithm"]?.text,
        let schema = json["schema"]?.text, let number = json["numberOfTests"]?.number?.integer,
        let groups = json["testGroups"]?.array
      else { return nil }
      (self.algorithm, self.schema, self.numberOfTests, self.groups) = (algorithm, schema, number, groups)
    }
  }

  /// `applies` is asked about each group where one algorithm has files that we cannot check.
  static func kind(
    _ name: String, algorithm: String, schema: String,
    applies: @escaping @Sendable (CaseFields) -> Bool = { _ in true },
    check: @escaping @Sendable (WycheproofGroup) -> [CaseResult]
  ) -> VectorKind {
    VectorKind(
      name: "wycheproof " + name,
      recognises: { content in
        guard let head = Head(content), head.algorithm == algorithm, head.schema == schema else { return false }
        return head.groups.allSatisfy { applies(CaseFields(json: $0)) }
      },
      check: { content, progress throws(UnreadableVectors) in
        guard let head = Head(content) else { throw UnreadableVectors(why: "not a file of Project Wycheproof") }
        let held = VectorKind.casesInJSON(content) ?? 0
        guard head.numberOfTests == held else {
          throw UnreadableVectors(why: "numberOfTests is \(head.numberOfTests), but the groups hold \(held)")
        }
        var results: [CaseResult] = []
        for group in head.groups {
          results += check(WycheproofGroup(fields: CaseFields(json: group)))
          progress(results.count)
        }
        return results
      })
  }
}

struct WycheproofGroup: Sendable {
  let fields: CaseFields

  /// Runs each test; what it finds is held against what the test demands.
  func results(_ find: (CaseFields) throws(CaseProblem) -> WycheproofFinding) -> [CaseResult] {
    (fields["tests"]?.array ?? []).map { json in
      let test = CaseFields(json: json)
      let outcome = Outcome.of { () throws(CaseProblem) in
        try Self.judge(try find(test), as: try test.text("result"))
      }
      return CaseResult(id: "tcId " + (test["tcId"]?.number?.text ?? "?"), outcome: outcome)
    }
  }

  /// `acceptable` leaves the choice to the library, so nothing is asserted but that no wrong value comes out.
  private static func judge(_ found: WycheproofFinding, as result: String) throws(CaseProblem) -> Outcome {
    switch (result, found) {
    case (_, .failed(let what)): .failed(what)
    case (_, .skipped(let reason)): .skipped(reason)
    case ("valid", .accepted): .passed
    case ("valid", .refused): .failed("refused, though it is valid")
    case ("invalid", .refused): .passed
    case ("invalid", .accepted): .failed("accepted, though it is invalid")
    case ("acceptable", .accepted), ("acceptable", .refused): .setApart("acceptable")
    default: throw CaseProblem(why: "result is neither valid, invalid nor acceptable")
    }
  }
}

/// What our code made of one test.
enum WycheproofFinding: Sendable {
  /// It took the input, and what came out is what the test says.
  case accepted
  case refused
  /// It took the input, and something else came out; or our own machine failed.
  case failed(String)
  case skipped(String)

  /// `difference` is nil where what came out is right.
  static func accepted(unless difference: String?) -> WycheproofFinding {
    difference.map(WycheproofFinding.failed) ?? .accepted
  }

  /// What an input can cause is a refusal; anything else is our own failure.
  static func thrown(_ error: CryptographyError, refusals: [CryptographyError] = [.rejected]) -> WycheproofFinding {
    refusals.contains(error) ? .refused : .failed("our own failure: \(error)")
  }
}
