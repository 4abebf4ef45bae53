// What the log says of a batch: a line for it, and one for each mission that did not get all it asked for. Ids, counts
// and words of closed sets; nothing that was opened comes near here.

import Contracts
import ServiceRuntime
import Store

/// Who asked, as the answer's own line in the log has it.
package struct ResolveOrigin: Sendable {
  let requestID: String?
  let traceID: String?

  package init(requestID: String? = nil, traceID: String? = nil) {
    (self.requestID, self.traceID) = (requestID, traceID)
  }
}

/// What became of one mission.
struct MissionFinding: Sendable, Equatable {
  /// What is worth a line, the gravest first.
  enum Kind: Sendable, Equatable {
    case unanswered
    /// Whoever calls filters by the grant, so nothing honest asks for more than it names (docs/flaws.md, F-34).
    case beyondGrant
    /// Somebody changed what was sealed, or it is under another key.
    case altered
    /// Part of a grant's life: it ends, or it never was one.
    case grantUnusable
    case refused
  }

  let grant: GrantOutcome?
  let outage: ResolveOutage?
  let shown: Int
  let reasons: [AuditReason: Int]

  init(_ grant: GrantOutcome?, _ outage: ResolveOutage?, _ inputs: [AuditReason?]) {
    (self.grant, self.outage) = (grant, outage)
    shown = inputs.count { $0 == nil }
    reasons = inputs.reduce(into: [:]) { counts, reason in if let reason { counts[reason, default: 0] += 1 } }
  }

  /// Nil for a mission of which there is nothing to say.
  var kind: Kind? {
    if outage != nil { return .unanswered }
    if reasons[.recordNotInGrant] != nil { return .beyondGrant }
    let isAltered = [.wrapRejected, .movedCiphertext, .ciphertextTampered].contains { reasons[$0] != nil }
    if isAltered || grant == .wrapRejected { return .altered }
    if let grant, grant != .ok, grant != .none { return .grantUnusable }
    return reasons.isEmpty ? nil : .refused
  }

  var refused: Int { reasons.values.reduce(0, +) }

  /// `record-missing 2, unknown-module 1`
  var detail: String {
    reasons.map { "\($0.key.rawValue) \($0.value)" }.sorted().joined(separator: ", ")
  }
}

struct ResolveLog {
  private let log: Log

  init(_ log: Log, _ origin: ResolveOrigin) {
    var log = log
    if let id = origin.requestID { log = log.adding([.requestId: .id(id)]) }
    if let id = origin.traceID { log = log.adding([.traceId: .id(id)]) }
    self.log = log
  }

  func tell(_ call: ResolveCall, _ assembly: borrowing ReplyAssembly, took: Duration, opening: Duration) {
    var (place, shown, refused) = (0, 0, 0)
    assembly.eachOutcome { grant, outage, inputs in
      let finding = MissionFinding(grant, outage, inputs.map(\.reason))
      shown += finding.shown
      refused += finding.refused
      if let kind = finding.kind { tell(call.requests[place], finding, kind) }
      place += 1
    }
    log.info(
      "A batch was answered.",
      [
        .count: .count(call.requests.count), .shown: .count(shown), .refused: .count(refused), .opening: .took(opening),
        .took: .took(took),
      ])
  }

  private func tell(_ request: ResolveCall.Request, _ finding: MissionFinding, _ kind: MissionFinding.Kind) {
    // The call chose these ids; the log escapes and cuts them.
    var fields = log.adding([.userId: .id(request.user), .missionId: .id(request.mission)])
    if let outage = finding.outage { fields = fields.adding([.reason: .reason(outage)]) }
    if finding.outage == nil, let grant = finding.grant { fields = fields.adding([.reason: .reason(grant)]) }
    let counts: KeyValuePairs<LogKey, LogValue> = [
      .shown: .count(finding.shown), .refused: .count(finding.refused), .detail: .text(finding.detail),
    ]
    switch kind {
    case .unanswered: fields.warning("A mission got no answer.", counts)
    case .beyondGrant: fields.warning("A mission asked for records that its grant does not name.", counts)
    case .altered: fields.warning("Something of a mission was altered, or is under another key.", counts)
    case .grantUnusable: fields.info("The grant of a mission could not be used.", counts)
    case .refused: fields.info("Inputs of a mission were refused.", counts)
    }
  }
}
