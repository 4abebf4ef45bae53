// The shape of the files made by running the seeds' reference: what they describe, the code that was run, the cases.

import Contracts

struct SeedsFile: Sendable {
  let description: String
  let reference: String
  let whole: JSONValue
  let cases: [JSONValue]

  init?(_ content: VectorContent) {
    guard case .json(let json) = content, let description = json["description"]?.text,
      let reference = json["reference"]?.text, let cases = json["cases"]?.array
    else { return nil }
    (self.description, self.reference, self.cases, whole) = (description, reference, cases, json)
  }

  /// A file is known by the reference's code that made it. `prepare` sees the whole file once, before its cases.
  static func kind<Context: Sendable>(
    _ name: String, reference: String, prepare: @escaping @Sendable (SeedsFile) throws(UnreadableVectors) -> Context,
    check: @escaping @Sendable (CaseFields, Context) throws(CaseProblem) -> Outcome
  ) -> VectorKind {
    VectorKind(
      name: name,
      recognises: { SeedsFile($0)?.reference.contains(reference) == true },
      check: { content, progress throws(UnreadableVectors) in
        guard let file = SeedsFile(content) else { throw UnreadableVectors(why: "not a file of the reference") }
        let context = try prepare(file)
        var results: [CaseResult] = []
        for json in file.cases {
          let fields = CaseFields(json: json)
          let outcome = Outcome.of { () throws(CaseProblem) in try check(fields, context) }
          results.append(CaseResult(id: fields["id"]?.text ?? "case \(results.count + 1)", outcome: outcome))
          progress(results.count)
        }
        return results
      })
  }
}

/// Names for what is counted apart, the same in every kind. `DEV-n` are the deviations of docs/vectors.md.
enum Apart {
  static let engine = "engine-dependent"
  static let coercion = "js-coercion"
  static let wrongType = "wrong-type"
  static let loneSurrogate = "DEV-1 lone surrogate"
  static let derivation = "DEV-2 derivation unusable"
  static let date = "DEV-3 date spelling"
  static let reason = "DEV-4 reason wording"
}
