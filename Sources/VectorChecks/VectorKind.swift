// What a kind of vector file is to this program: how its content shows what it is, and how one file is checked.

import Contracts

/// How one case ended. Nothing is left out silently: what is not asserted has a reason that is counted by name.
enum Outcome: Sendable, Equatable {
  case passed
  /// What came out instead, without key material.
  case failed(String)
  /// Looked at, but its exact outcome belongs to another engine or to a deviation that we document.
  case setApart(String)
  /// Not run at all.
  case skipped(String)
}

struct CaseResult: Sendable {
  let id: String
  let outcome: Outcome
}

/// A file's content, read once: as JSON where it is JSON, otherwise as text.
enum VectorContent: Sendable {
  case json(JSONValue)
  case text(String)
}

/// A file that is known to be of a kind but cannot be checked as one: a wrong member, a count that does not match.
struct UnreadableVectors: Error {
  let why: String
}

struct VectorKind: Sendable {
  /// As it stands in the table, for example `wycheproof aes-gcm`.
  let name: String
  /// Looks at the content, never at the file's name.
  let recognises: @Sendable (VectorContent) -> Bool
  /// How many cases the content holds, counted without running any, so that a check cannot lose one unnoticed. Nil
  /// for what has no cases to count, such as a schema.
  let count: @Sendable (VectorContent) -> Int?
  /// Runs every case; `progress` is told after each how many are done.
  let check: @Sendable (VectorContent, _ progress: (Int) -> Void) throws(UnreadableVectors) -> [CaseResult]

  init(
    name: String, recognises: @escaping @Sendable (VectorContent) -> Bool,
    count: @escaping @Sendable (VectorContent) -> Int? = VectorKind.casesInJSON,
    check: @escaping @Sendable (VectorContent, _ progress: (Int) -> Void) throws(UnreadableVectors) -> [CaseResult]
  ) {
    self.name = name
    self.recognises = recognises
    self.count = count
    self.check = check
  }

  /// The two shapes of JSON vectors: a list of cases, or groups with a list of tests each. Nil for anything else.
  static let casesInJSON: @Sendable (VectorContent) -> Int? = { content in
    guard case .json(let json) = content else { return nil }
    if let cases = json["cases"]?.array { return cases.count }
    return json["testGroups"]?.array?.reduce(0) { $0 + ($1["tests"]?.array?.count ?? 0) }
  }
}

/// All kinds this program knows. Every step of the project adds its own.
enum VectorKinds {
  static let all: [VectorKind] = published + seeds + own
}
