// What a mission's grant says before the database is asked. Of a v2 blob only the grant's id counts: it points to the
// row that the issuer wrote, and the row is the authority. A v1 blob has no row, so its own words decide, for what they
// are worth; the seeds' order of checks is kept.

import Contracts
import Grants
import Store

struct Consent: Sendable {
  private enum Kind: Sendable {
    case none
    /// Known to be useless, and why.
    case refused(GrantOutcome)
    case row(Identifier)
    case blob(allowed: Set<Identifier>)
  }

  private let kind: Kind
  /// The v1 blob, where it decides.
  let blob: JSONValue?

  init(_ grant: JSONValue, _ rules: BatchPlan.Rules) {
    kind = Self.kind(grant, rules)
    if case .blob = kind { blob = grant } else { blob = nil }
  }

  private static func kind(_ grant: JSONValue, _ rules: BatchPlan.Rules) -> Kind {
    guard isThere(grant) else { return .none }
    guard rules.hasKeys else { return .refused(.notConfigured) }
    if grant["derivation"]?["version"] == .string("v2") {
      do throws(GrantShapeProblem) { return .row(try GrantV2.grantId(grant["grantId"]?.text)) } catch {
        return .refused(.malformed)
      }
    }
    guard rules.acceptsV1 else { return .refused(.revoked) }
    let stored = StoredGrantV1(grant)
    guard let expiresAt = stored.expiresAt, expiresAt >= rules.now else { return .refused(.expired) }
    guard let text = stored.wrappedKey, Base64.decodeForgiving(text.utf8.span) != nil, let recordIds = stored.recordIds
    else { return .refused(.malformed) }
    return .blob(allowed: Set(recordIds.map { Identifier($0) }))
  }

  /// What JavaScript takes for a grant at all.
  private static func isThere(_ grant: JSONValue) -> Bool {
    switch grant {
    case .null: false
    case .bool(let value): value
    case .number(let number): number.double != 0 && !number.double.isNaN
    case .string(let text): !text.text.isEmpty
    case .array, .object: true
    }
  }

  /// Who decides on inputs that need a grant; nil where they are refused beforehand.
  var authority: MissionOpening.Authority? {
    switch kind {
    case .row(let id): .grant(id)
    case .blob: .v1Blob
    case .none, .refused: nil
    }
  }

  /// Why this input, which needs a grant, is refused before anybody is asked.
  func refusal(of ref: ResolveCall.InputRef) -> AuditReason? {
    switch kind {
    case .none: .notGranted
    case .refused(let outcome): AuditReason(outcome)
    case .row: nil
    case .blob(let allowed): allowed.contains(Identifier(ref.table + ":" + ref.id)) ? nil : .recordNotInGrant
    }
  }

  /// Nil where it is not known yet.
  func outcome(isAsked: Bool) -> GrantOutcome? {
    switch kind {
    case .none: GrantOutcome.none
    case .refused(let outcome): outcome
    case .row, .blob: isAsked ? nil : GrantOutcome.none
    }
  }
}

extension AuditReason {
  /// `ok` and `none` are no reasons to refuse anything, and nobody asks for theirs.
  init(_ outcome: GrantOutcome) {
    self =
      switch outcome {
      case .notConfigured: .notConfigured
      case .expired: .expired
      case .malformed: .malformed
      case .wrapRejected: .wrapRejected
      case .revoked: .revoked
      case .unknownGrant: .unknownGrant
      case .ok, .none: .notGranted
      }
  }
}
