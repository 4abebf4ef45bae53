// Our own files as kinds of the verifier: one for each format, and one for the schemas beside them.

import Contracts

extension VectorKinds {
  static let own: [VectorKind] = OwnVectors.formats.map(vectors) + [schemas]

  private static func vectors(of format: any OwnFormat.Type) -> VectorKind {
    VectorKind(
      name: format.algorithm,
      recognises: { content in
        guard case .json(let json) = content else { return false }
        return format.recognises(json)
      },
      check: { content, progress throws(UnreadableVectors) in
        guard case .json(let json) = content else { throw UnreadableVectors(why: "it is no JSON") }
        return try run(format, json, progress)
      })
  }

  private static func run(
    _ format: any OwnFormat.Type, _ json: JSONValue, _ progress: (Int) -> Void
  ) throws(UnreadableVectors) -> [CaseResult] {
    var results: [CaseResult] = []
    for (group, tests) in try format.read(json) {
      let check: (Members) throws -> Outcome
      do { check = try format.checker(for: group) } catch {
        throw (error as? UnreadableVectors) ?? UnreadableVectors(why: "a group's inputs were refused: \(error)")
      }
      for test in tests {
        results.append(CaseResult(id: "tcId \(test.integer("tcId"))", outcome: outcome(check, test)))
        progress(results.count)
      }
    }
    return results
  }

  private static func outcome(_ check: (Members) throws -> Outcome, _ test: Members) -> Outcome {
    do { return try check(test) } catch { return .failed("it ended in an error that no case expects: \(error)") }
  }

  /// A schema is in order when it says, member for member, what this program's reader enforces.
  private static let schemas = VectorKind(
    name: "mandate schema",
    recognises: { content in
      guard case .json(let json) = content else { return false }
      return format(of: json) != nil
    },
    count: { _ in nil },
    check: { content, progress throws(UnreadableVectors) in
      guard case .json(let json) = content, let format = format(of: json) else {
        throw UnreadableVectors(why: "it is no schema of ours")
      }
      progress(1)
      return [
        CaseResult(
          id: format.schemaName, outcome: .expect(json == format.schema, "the reader enforces another schema"))
      ]
    })

  private static func format(of json: JSONValue) -> (any OwnFormat.Type)? {
    OwnVectors.formats.first { json["$id"] == $0.schema["$id"] }
  }
}
