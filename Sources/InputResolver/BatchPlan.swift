// What a call asks of the database, decided before the database is asked: which inputs there are to open, under which
// authority, and what is refused beforehand and why. Pure: no key, no clock but the one that is passed in.
//
// A mission asks at most twice: under its grant for what needs one, and without any for the rest (public modules, and
// what is refused beforehand, which is on the log all the same).

import Contracts
import Grants
import Missions
import Store

/// Where an input stands in the call.
struct InputPlace: Hashable, Sendable {
  let request: Int
  let input: Int
}

/// One opening, and the input that each of its wishes is for.
struct PlannedOpening: Sendable {
  struct Wish: Sendable {
    let place: InputPlace
    let ref: ResolveCall.InputRef
    let module: InputModule?
    let wish: MissionOpening.Wish
  }

  let request: Int
  let opening: MissionOpening
  let wishes: [Wish]
  /// The v1 blob that the decision rests on.
  let blob: JSONValue?
}

struct BatchPlan: Sendable {
  /// What is known of a request before anything is opened.
  struct Standing: Sendable {
    /// Nil where the database and the keys have the word.
    var grant: GrantOutcome?
    /// Inputs that leave no row: no row could name them, or there are too many.
    var unlogged: [(input: Int, reason: AuditReason)] = []
  }

  private(set) var standings: [Standing] = []
  private(set) var openings: [PlannedOpening] = []

  struct Rules: Sendable {
    let hasKeys: Bool
    let acceptsV1: Bool
    let now: Instant
  }

  init(_ call: ResolveCall, _ rules: Rules) {
    var room = ResolveCall.mostInputs
    for (index, request) in call.requests.enumerated() {
      add(request, at: index, purpose: call.purpose, room: &room, rules)
    }
  }

  private mutating func add(
    _ request: ResolveCall.Request, at index: Int, purpose: String, room: inout Int, _ rules: Rules
  ) {
    var standing = Standing()
    defer { standings.append(standing) }
    guard let ids = RequestIDs(request, purpose: purpose) else {
      // No row of the log could say whose this was, so nothing is opened.
      standing.grant = .malformed
      standing.unlogged = request.inputs.indices.map { ($0, .recordMissing) }
      return
    }
    let consent = Consent(request.grant, rules)
    var underGrant: [PlannedOpening.Wish] = []
    var without: [PlannedOpening.Wish] = []
    let taken = min(request.inputs.count, ResolveCall.mostInputsOfRequest, room)
    room -= taken
    for (place, ref) in request.inputs.enumerated() {
      guard place < taken else {
        standing.unlogged.append((place, .batchTooLarge))
        continue
      }
      guard let address = Self.address(ref) else {
        standing.unlogged.append((place, .recordMissing))
        continue
      }
      let module = address.module
      let refusal = Self.refusal(of: ref, module, consent)
      let wish = PlannedOpening.Wish(
        place: InputPlace(request: index, input: place), ref: ref, module: module,
        wish: MissionOpening.Wish(address.address, refusal: refusal))
      let isDecidedByGrant = module?.needsGrant == true && consent.authority != nil
      if isDecidedByGrant { underGrant.append(wish) } else { without.append(wish) }
    }
    standing.grant = consent.outcome(isAsked: !underGrant.isEmpty)
    if let authority = consent.authority {
      add(underGrant, ids, index, authority, blob: consent.blob)
    }
    add(without, ids, index, .none, blob: nil)
  }

  private mutating func add(
    _ wishes: [PlannedOpening.Wish], _ ids: RequestIDs, _ request: Int, _ authority: MissionOpening.Authority,
    blob: JSONValue?
  ) {
    guard !wishes.isEmpty else { return }
    let opening = MissionOpening(
      scope: ids.scope, mission: ids.mission, authority: authority, iteration: ids.iteration, purpose: ids.purpose,
      wishes: wishes.map(\.wish))
    openings.append(PlannedOpening(request: request, opening: opening, wishes: wishes, blob: blob))
  }

  private static func refusal(
    of ref: ResolveCall.InputRef, _ module: InputModule?, _ consent: Consent
  ) -> AuditReason? {
    guard let module else { return .unknownModule }
    return module.needsGrant ? consent.refusal(of: ref) : nil
  }

  /// Where the input lies, and its module if that is its table. Nil for ids that no row could name.
  private static func address(_ ref: ResolveCall.InputRef) -> (address: RecordAddress, module: InputModule?)? {
    guard let table = try? Identifier(checking: ref.table), let record = try? Identifier(checking: ref.id) else {
      return nil
    }
    let module = InputModule.named(ref.module, table: ref.table)
    return (RecordAddress(app: Identifier(module?.app ?? ""), table: table, record: record), module)
  }
}

/// Ids as every row of the log can carry them. A user chooses the ids of missions and records; a bad one must cost
/// nobody else anything.
private struct RequestIDs {
  let scope: UserScope
  let mission: Identifier
  let iteration: Identifier?
  let purpose: Identifier

  init?(_ request: ResolveCall.Request, purpose: String) {
    guard let user = try? Identifier(checking: request.user), let scope = try? UserScope(user),
      let mission = try? Identifier(checking: request.mission), let purpose = try? Identifier(checking: purpose)
    else { return nil }
    if let text = request.iteration {
      guard let iteration = try? Identifier(checking: text) else { return nil }
      self.iteration = iteration
    } else {
      iteration = nil
    }
    (self.scope, self.mission, self.purpose) = (scope, mission, purpose)
  }
}
