// What moving grants came to, for whoever wants to know whether the former key may go. Pure: counts, ids and words of a
// closed set.

package import Contracts
import ServiceRuntime

package struct RewrapReport: Sendable, Equatable {
  package struct Key: Sendable, Equatable {
    package let keyId: String
    /// Whether the resolver has it. If not, none of its grants can be moved.
    package let isHeld: Bool
    /// Open grants for this key when it began.
    package let open: Int
    package var moved = 0
    /// Somebody closed, renewed or moved them meanwhile.
    package var changed = 0
    package var failed = 0
    /// Open grants for this key when it ended.
    package var left = 0

    package init(keyId: String, isHeld: Bool, open: Int) {
      (self.keyId, self.isHeld, self.open) = (keyId, isHeld, open)
      left = open
      if !isHeld { failed = open }
    }
  }

  package enum Reason: String, Sendable, CaseIterable {
    /// Wrap, claims, or the key that the row names: one of them is not what was issued.
    case wrapRejected = "wrap-rejected"
    /// The row's columns do not make the claims that its wrap has.
    case claimsDiffer = "claims-differ"
    case refusedByDatabase = "refused-by-database"
    case `internal`
  }

  package struct Failure: Sendable, Equatable {
    package let grant: Identifier
    package let keyId: String
    package let reason: Reason
  }

  package let current: String
  package let isDryRun: Bool
  package var keys: [Key] = []
  package private(set) var failures: [Failure] = []
  package var wasStopped = false

  /// More are counted, and not named.
  static let mostNamed = 1_000

  package init(current: String, isDryRun: Bool) { (self.current, self.isDryRun) = (current, isDryRun) }

  package var moved: Int { keys.reduce(0) { $0 + $1.moved } }
  package var failed: Int { keys.reduce(0) { $0 + $1.failed } }
  package var left: Int { keys.reduce(0) { $0 + $1.left } }

  /// Nothing is left for any of the keys; after a dry run, nothing would be but for what is issued meanwhile.
  package var isDone: Bool { !wasStopped && failed == 0 && (isDryRun || left == 0) }

  // MARK: Deciding

  /// Which keys grants are moved from. The current one is none of them, whoever names it.
  static func formerKeys(
    _ wanted: [String], held: [String], current: String
  ) throws(RewrapProblem) -> [String] {
    guard !wanted.contains(current) else { throw .isCurrent(current) }
    var names: [String] = []
    for name in wanted.isEmpty ? held.filter({ $0 != current }) : wanted where !names.contains(name) {
      names.append(name)
    }
    return names
  }

  /// A key that nobody here has and that no grant names is a slip of the pen. One that grants do name is counted with
  /// what could not be moved.
  func refuseUnknown(held: [String]) throws(RewrapProblem) {
    if let unknown = keys.first(where: { $0.open == 0 && !$0.isHeld }) {
      throw .unknown(unknown.keyId, held: held)
    }
  }

  // MARK: Counting

  mutating func fail(_ grant: Identifier, _ index: Int, _ reason: Reason) {
    keys[index].failed += 1
    guard failures.count < Self.mostNamed else { return }
    failures.append(Failure(grant: grant, keyId: keys[index].keyId, reason: reason))
  }

  /// Before another pass meets the same ones again.
  mutating func forgetFailures(of index: Int) {
    keys[index].failed = 0
    failures.removeAll { $0.keyId == keys[index].keyId }
  }
}

/// Why nothing was moved, or no more than so many.
package enum RewrapProblem: Error, Equatable, Sendable {
  case noKey
  case isCurrent(String)
  case unknown(String, held: [String])
  case database(String, soFar: Int)

  package var sentence: String {
    switch self {
    case .noKey: "there is no private key: MANDATE_RESOLVER_KEYS must hold the current key and the former ones."
    case .isCurrent(let key): "\(Printable.name(key)) is the current key; grants are moved to it and not from it."
    case .unknown(let key, let held):
      "\(Printable.name(key)) is no key of this resolver, and no open grant names it; it has \(held.joined(separator: ", "))."
    case .database(let words, let moved):
      "the database cannot be asked: \(words). \(moved) grants were moved before that; run it again to go on."
    }
  }
}

// MARK: Telling

extension RewrapReport {
  package var text: String {
    guard !keys.isEmpty else { return "This resolver has no former key. Nothing to move.\n" }
    var table = TextTable(headings: ["FORMER KEY", "OPEN", isDryRun ? "MOVABLE" : "MOVED", "CHANGED", "FAILED", "LEFT"])
    for key in keys {
      table.add([key.keyId] + [key.open, key.moved, key.changed, key.failed, key.left].map(String.init))
    }
    let missing = keys.filter { !$0.isHeld }.map { "key \($0.keyId) is not among the keys of this resolver\n" }
    let named = failures.map { "grant \(Printable.name($0.grant.text)) of key \($0.keyId): \($0.reason.rawValue)\n" }
    return table.text + missing.joined() + named.joined() + "\(verdict)\n"
  }

  private var verdict: String {
    if isDryRun {
      return failed == 0
        ? "Nothing was changed. Without --dry-run, \(moved) grants would be moved to \(current)."
        : "Nothing was changed. \(moved) grants could be moved to \(current), \(failed) could not."
    }
    if wasStopped { return "Stopped when \(moved) grants were moved to \(current); run it again to go on." }
    if failed > 0 { return "Moved \(moved) grants to \(current); \(failed) cannot be moved." }
    if left > 0 {
      return "Moved \(moved) grants to \(current); \(left) came meanwhile. Give every issuer the new public key first."
    }
    return "Moved \(moved) grants to \(current). No open grant names a former key."
  }

  package var json: JSONValue {
    func object(_ members: [(String, JSONValue)]) -> JSONValue { .object(JSONObject(members: members)) }
    func number(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }
    return object([
      ("currentKeyId", .string(current)), ("dryRun", .bool(isDryRun)), ("stopped", .bool(wasStopped)),
      ("done", .bool(isDone)), ("moved", number(moved)), ("failed", number(failed)), ("left", number(left)),
      (
        "keys",
        .array(
          keys.map { key in
            object([
              ("keyId", .string(key.keyId)), ("held", .bool(key.isHeld)), ("open", number(key.open)),
              ("moved", number(key.moved)),
              ("changed", number(key.changed)), ("failed", number(key.failed)), ("left", number(key.left)),
            ])
          })
      ),
      (
        "failures",
        .array(
          failures.map { failure in
            object([
              ("grantId", .string(failure.grant.text)), ("keyId", .string(failure.keyId)),
              ("reason", .string(failure.reason.rawValue)),
            ])
          })
      ),
    ])
  }
}
