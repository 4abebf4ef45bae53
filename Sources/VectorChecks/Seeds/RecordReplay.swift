// record-replay: a record's change rows → what each reader makes of them. Three readings of one fold: the resolver's
// record, the agent's snapshot and the mission's; and the mission's once more, folded in two refreshes.
//
// The incremental form is held to more than the file says: whatever row the refresh is split at, with that row read
// once more by the second one, the outcome must be that of the whole history (docs/flaws.md, F-14).

import Contracts
import Missions

enum RecordReplay {
  static let kind = SeedsFile.kind(
    "record-replay", reference: "db/resolvers/record-replay.ts", prepare: { _ throws(UnreadableVectors) in },
    check: { fields, _ throws(CaseProblem) in try check(fields) })

  private static func check(_ fields: CaseFields) throws(CaseProblem) -> Outcome {
    let history = try ReplayHistory(fields)
    let expected = try fields.fields("expected")
    let whole = history.folded()
    if let difference = try resumedDifference(history, whole) { return .failed(difference) }
    guard let difference = try difference(whole, history, expected, fields) else { return .passed }
    guard try fields.tags().contains(Apart.prototypeName) else { return .failed(difference) }
    return ownOutcome(history, whole, difference)
  }

  /// Where the file's expectations and ours part, in the file's names for the readings.
  private static func difference(
    _ whole: FoldState, _ history: ReplayHistory, _ expected: CaseFields, _ fields: CaseFields
  ) throws(CaseProblem) -> String? {
    let readings = [("replay", whole.record), ("agents", whole.agent), ("snapshot", whole.mission)]
    for (name, found) in readings where !isSame(found, try expected.value(name)) {
      return "\(name) \(found == nil ? "has no record" : "is another record")"
    }
    guard let words = try fields.value("differences").texts else {
      throw CaseProblem(why: "differences is not a list of strings")
    }
    guard words == Self.words(for: whole) else { return "the readings differ in other ways" }
    guard fields["incremental"] != nil else { return nil }
    let incremental = try fields.fields("incremental")
    let (split, snapshot) = (try incremental.integer("splitAt"), try incremental.value("snapshot"))
    guard (0...history.rows.count).contains(split) else { throw CaseProblem(why: "splitAt is not among the rows") }
    let refreshed = try history.folded(inTwoAt: split, readingTwice: false)
    return isSame(refreshed.mission, snapshot) ? nil : "the refreshed snapshot is another"
  }

  /// The file says in words where the three readings part; for us they are one state.
  private static func words(for state: FoldState) -> [String] {
    if state.agent != nil { return ["agents adds __fieldMeta"] }
    return state.mission == nil ? [] : ["snapshot keeps a record that replay and agents drop (deletedAt)"]
  }

  /// Every split must end where the whole history ends.
  private static func resumedDifference(_ history: ReplayHistory, _ whole: FoldState) throws(CaseProblem) -> String? {
    for split in 0...history.rows.count {
      let resumed = try history.folded(inTwoAt: split, readingTwice: split > 0)
      let isAlike =
        resumed.mission == whole.mission && resumed.agent == whole.agent && resumed.position == whole.position
      guard isAlike else { return "split at \(split), the history ends otherwise" }
    }
    return nil
  }

  /// Members stand in any order; numbers are compared as JavaScript holds them.
  private static func isSame(_ found: JSONObject?, _ expected: JSONValue) -> Bool {
    let found = found.map(JSONValue.object) ?? .null
    return JavaScriptValue(sorted(found)) == JavaScriptValue(sorted(expected))
  }

  private static func sorted(_ value: JSONValue) -> JSONValue {
    switch value {
    case .array(let elements): .array(elements.map(sorted))
    case .object(let object):
      .object(
        JSONObject(
          object.members.map { ($0.key, sorted($0.value)) }.sorted { precedesInUTF16($0.0.text, $1.0.text) }))
    default: value
    }
  }

  // MARK: Names that every JavaScript object has from birth

  /// The reference finds an inherited function where such a field has no stamp, and takes it for one. To us the names
  /// mean nothing: with other names in their place, the same history must end in the same record. With stamps from the
  /// start the reference has nothing to inherit, and such a case is asserted like any other.
  private static func ownOutcome(_ history: ReplayHistory, _ whole: FoldState, _ difference: String) -> Outcome {
    guard history.hasUnstampedField(in: prototypeNames) else { return .failed(difference) }
    let renamed = history.renamed { prototypeNames.contains($0) ? "field \($0)" : $0 }
    let theirs = renamed.folded().mission.map(JSONValue.object) ?? .null
    let ours = whole.mission.map(JSONValue.object) ?? .null
    let back = ReplayHistory.renamed(theirs) { $0.hasPrefix("field ") ? String($0.dropFirst(6)) : $0 }
    return sorted(back) == sorted(ours) ? .setApart(Apart.prototypeName) : .failed("a name makes a difference")
  }

  private static let prototypeNames: Set<String> = [
    "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "__proto__", "constructor",
    "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf",
  ]
}

extension Apart {
  static let prototypeName = "js-artifact"
}
