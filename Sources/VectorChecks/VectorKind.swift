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
  /// Runs every case; `progress` is told after each.
  let check: @Sendable (VectorContent, _ progress: (Int) -> Void) throws(UnreadableVectors) -> [CaseResult]
}

/// All kinds this program knows. Every step of the project adds its own.
enum VectorKinds {
  static let all: [VectorKind] = published + seeds + own
}
