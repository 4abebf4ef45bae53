// Opens what the database has released for a mission: mission key, record keys, fields, and what is shown of them. It
// runs on a thread of its own, takes the keys it needs for as long as it needs them, and hands on nothing but text that
// is meant to be shown.

import Contracts
import Cryptography
import Grants
import Missions
import Postgres
import Secrets
import Store

struct MissionOpener: Sendable {
  let unwrapper: any Unwrapper
  let now: Instant
  /// Whoever asked hears of it no more, so nothing is opened after it.
  let deadline: Deadline

  func open(_ mission: consuming ReleasedMission, _ planned: PlannedOpening, at index: Int) -> Shown {
    var shown = ShownInputs(opening: index, head: mission.head, rows: mission.rows)
    guard mission.failure == nil else {
      for receipt in mission.unredeemed { shown.fail(receipt, .decryptFailed) }
      shown.withdraw(.unavailable)
      return shown.finished()
    }
    var work = OpeningWork(mission, planned.wishes, shown, deadline)
    guard !work.isLate else { return work.givenUp() }
    do throws(GrantFailure) {
      switch planned.opening.authority {
      case .grant(let id): try openUnderRow(&work, id, planned)
      case .v1Blob: try openUnderBlob(&work, planned)
      case .none: work.showAll()
      }
    } catch {
      switch error {
      case .refused(let why):
        work.refuseRest(AuditReason(grant: why))
        work.shown.conclude(GrantOutcome(why))
      case .failed:
        work.refuseRest(.decryptFailed)
        work.shown.withdraw(.internal)
      }
    }
    return work.isLate ? work.givenUp() : work.finished()
  }

  private func openUnderRow(
    _ work: inout OpeningWork, _ id: Identifier, _ planned: PlannedOpening
  ) throws(GrantFailure) {
    guard let grant = work.nextReleased()?.grant else { return work.shown.conclude(.ok) }
    guard let label = GrantLabel(parsing: grant.claims), label.grantId == id else { throw .refused(.wrapRejected) }
    let (scope, mission) = (planned.opening.scope, planned.opening.mission)
    let failure: GrantFailure? = try SealedGrantV2.withOpen(
      wrapped: grant.wrappedKey, label: label, keys: unwrapper, user: scope.user, mission: mission,
      now: Instant(milliseconds: (grant.now.unixMicroseconds ?? .max) / 1000)
    ) { open in
      do throws(GrantFailure) {
        try work.open(under: open)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
    work.shown.conclude(.ok)
  }

  private func openUnderBlob(_ work: inout OpeningWork, _ planned: PlannedOpening) throws(GrantFailure) {
    guard work.nextReleased() != nil, let blob = planned.blob else { return work.shown.conclude(.ok) }
    let failure: GrantFailure? = try SealedGrantV1.withOpen(blob, keys: unwrapper, now: now) { open in
      do throws(GrantFailure) {
        try work.open(under: open)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
    work.shown.conclude(.ok)
  }
}

extension AuditReason {
  init(grant refusal: GrantRefusal) { self.init(GrantOutcome(refusal)) }

  init(field refusal: FieldRefusal) {
    self =
      switch refusal {
      case .ciphertextMalformed: .ciphertextMalformed
      case .ciphertextTampered: .ciphertextTampered
      case .decryptFailed: .decryptFailed
      case .notSealedYet: .notSealedYet
      case .movedCiphertext: .movedCiphertext
      case .notGranted: .notGranted
      }
  }
}

extension GrantOutcome {
  init(_ refusal: GrantRefusal) {
    self =
      switch refusal {
      case .notConfigured: .notConfigured
      case .expired: .expired
      case .malformed: .malformed
      case .wrapRejected: .wrapRejected
      case .revoked: .revoked
      case .unknownGrant: .unknownGrant
      }
  }

  /// What a record that was refused for its grant says about that grant; nil for the other reasons.
  init?(_ reason: AuditReason) {
    switch reason {
    case .expired: self = .expired
    case .revoked: self = .revoked
    case .unknownGrant: self = .unknownGrant
    default: return nil
    }
  }
}
