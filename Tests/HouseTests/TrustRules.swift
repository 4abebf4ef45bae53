// The link graph is the trust diagram: a process cannot leak what it was never linked with.

enum TrustRules {
  /// What the plan says a room must not reach is not in its closure.
  static func nothingForbiddenIsReached(_ manifest: Manifest) -> Verdict {
    var verdict = Verdict()
    for room in manifest.rooms {
      let closure = manifest.closure(of: room.name)
      if let forbidden = Plan.mustNotReach[room.name] {
        verdict.look()
        let reached = closure.intersection(forbidden).sorted()
        if !reached.isEmpty { verdict.problem("\(room.name) reaches \(reached) and must not") }
      }
      for (precious, allowed) in Plan.reachableOnlyFrom where room.name != precious {
        verdict.look()
        if closure.contains(precious), !allowed.contains(room.name) {
          verdict.problem("\(room.name) reaches \(precious); only \(allowed.sorted()) may")
        }
      }
    }
    return verdict
  }

  /// A C library is linked by the rooms that are its door and by nobody else.
  static func onlyDoorsLinkLibraries(_ manifest: Manifest) -> Verdict {
    var verdict = Verdict()
    for room in manifest.rooms {
      for door in Plan.doors where room.dependencies.contains(door.module) {
        verdict.look()
        if !door.rooms.contains(room.name) {
          verdict.problem("\(room.name) links \(door.module); only \(door.rooms.sorted()) may")
        }
      }
    }
    return verdict
  }

  /// The pure rooms use nothing but what the plan grants them.
  static func pureRoomsStayPure(_ manifest: Manifest) -> Verdict {
    var verdict = Verdict()
    for room in manifest.rooms {
      guard let allowed = Plan.mayUseOnly[room.name] else { continue }
      verdict.look()
      let others = manifest.closure(of: room.name).subtracting(allowed).sorted()
      if !others.isEmpty { verdict.problem("\(room.name) uses \(others); it may use only \(allowed.sorted())") }
    }
    return verdict
  }
}
