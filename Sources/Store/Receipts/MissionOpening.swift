// What somebody wants to open for a mission, and how such wishes are put together so that one round trip serves many.

package import Contracts

package struct MissionOpening: Sendable {
  package enum Authority: Sendable, Hashable {
    /// The `grants` row of this id decides, with the database's clock.
    case grant(Identifier)
    /// The caller has decided on a v1 blob. Refused for a mission that ever had a grant of ours.
    case v1Blob
    /// The caller has decided, and no grant is needed: public inputs.
    case none
  }

  package struct Wish: Sendable, Hashable {
    package let address: RecordAddress
    /// What the caller knows to be refused is on the log too; nobody can say here that something is allowed.
    package let refusal: AuditReason?

    package init(_ address: RecordAddress, refusal: AuditReason? = nil) {
      self.address = address
      self.refusal = refusal
    }
  }

  package let scope: UserScope
  package let mission: Identifier
  package let authority: Authority
  package let iteration: Identifier?
  package let purpose: Identifier?
  package let wishes: [Wish]

  package init(
    scope: UserScope, mission: Identifier, authority: Authority, iteration: Identifier? = nil,
    purpose: Identifier? = nil, wishes: [Wish]
  ) {
    self.scope = scope
    self.mission = mission
    self.authority = authority
    self.iteration = iteration
    self.purpose = purpose
    self.wishes = wishes
  }
}

/// Missions that are opened in one transaction, by the bytes of their users: each user's chain is locked once, and
/// every unit meets the chains in the same order.
package struct ReceiptUnit: Sendable {
  package static let mostMissions = 32
  package static let mostRecords = 1_000

  /// Each with its place in the list that the units were made of.
  let members: [(place: Int, opening: MissionOpening)]

  package var places: [Int] { members.map(\.place) }

  package enum Problem: Error, Equatable, Sendable {
    /// The mission at this place wants more records than fit into any unit.
    case tooManyRecords(place: Int)
    /// There is nothing to open, so there can be no receipt.
    case noRecords(place: Int)
  }

  /// All openings, each in one unit, in as few as their order allows.
  package static func units(of openings: [MissionOpening]) throws(Problem) -> [ReceiptUnit] {
    for (place, opening) in openings.enumerated() {
      guard opening.wishes.count <= mostRecords else { throw .tooManyRecords(place: place) }
      guard !opening.wishes.isEmpty else { throw .noRecords(place: place) }
    }
    let sorted = openings.enumerated().map { (place: $0.offset, opening: $0.element) }.sorted { left, right in
      left.opening.scope.user == right.opening.scope.user
        ? left.opening.mission < right.opening.mission : left.opening.scope.user < right.opening.scope.user
    }
    var units: [ReceiptUnit] = []
    var members: [(place: Int, opening: MissionOpening)] = []
    var records = 0
    for member in sorted {
      if members.count == mostMissions || records + member.opening.wishes.count > mostRecords {
        units.append(ReceiptUnit(members: members))
        (members, records) = ([], 0)
      }
      members.append(member)
      records += member.opening.wishes.count
    }
    if !members.isEmpty { units.append(ReceiptUnit(members: members)) }
    return units
  }
}
