// The floors: which rooms there are, that arrows only go down, and that every room says why it exists.

enum FloorRules {
  /// Every target stands in the plan, and what it depends on stands on a lower floor; the same floor is not lower.
  static func arrowsGoDown(_ manifest: Manifest) -> Verdict {
    var verdict = Verdict()
    for room in manifest.rooms {
      verdict.look()
      guard let floor = Plan.floor(of: room.name) else {
        verdict.problem("\(room.name) has no floor in Tests/HouseTests/Plan.swift")
        continue
      }
      for name in room.dependencies {
        verdict.look()
        guard let target = manifest.target(name) else {
          verdict.problem("\(room.name) depends on \(name), which is not a target of this package")
          continue
        }
        if target.isTest {
          verdict.problem("\(room.name) depends on \(name), which is for tests only")
        } else if let lower = Plan.floor(of: name), lower >= floor {
          verdict.problem("\(room.name) on floor \(floor) depends on \(name) on floor \(lower)")
        }
      }
    }
    return verdict
  }

  /// A target is a room of Swift, a door to C, an executable or a test, and each executable enters one process.
  static func kindsFit(_ manifest: Manifest) -> Verdict {
    var verdict = Verdict()
    for target in manifest.targets {
      verdict.look()
      let floor = Plan.floor(of: target.name)
      switch target.kind {
      case "test":
        if !target.name.hasSuffix("Tests") { verdict.problem("\(target.name) is a test whose name does not say so") }
      case "regular":
        if floor == 5 { verdict.problem("\(target.name) is on floor 5 and not executable") }
      // An example for readers, which a test starts as they would; no product can contain it.
      case "executable" where target.isTest: break
      case "executable":
        if floor != 5 { verdict.problem("\(target.name) is executable and not on floor 5") }
        if target.dependencies.count != 1 || target.dependencies.contains(where: { Plan.floor(of: $0) != 4 }) {
          verdict.problem("\(target.name) enters \(target.dependencies), not one process of floor 4")
        }
      case "system":
        if floor != -1 || !Plan.doors.contains(where: { $0.module == target.name }) {
          verdict.problem("\(target.name) is a C library without a door in Tests/HouseTests/Plan.swift")
        }
      default:
        verdict.problem("\(target.name) is of kind \(target.kind), which has no place here")
      }
    }
    return verdict
  }

  /// The comment above each room names one of the four reasons, and one that fits the floor.
  static func reasonsAreGiven(_ manifest: Manifest) -> Verdict {
    var verdict = Verdict()
    for room in manifest.rooms where room.kind != "executable" {
      verdict.look()
      guard let reason = room.reason, let floors = Plan.reasons[reason] else {
        verdict.problem("\(room.name) has no `// door:`, `// vault:`, `// process:` or `// agreement:` above it")
        continue
      }
      if let floor = Plan.floor(of: room.name), !floors.contains(floor) {
        verdict.problem("\(room.name) calls itself a \(reason) on floor \(floor)")
      }
    }
    return verdict
  }

  /// Every Swift target, tests included, has the house's settings, unconditionally, and none that weakens them.
  static func settingsAreShared(_ manifest: Manifest) -> Verdict {
    var verdict = Verdict()
    if manifest.languageModes != ["6"] { verdict.problem("the language modes are \(manifest.languageModes)") }
    if manifest.packages != 0 { verdict.problem("\(manifest.packages) packages would have to be fetched") }
    for target in manifest.targets where target.isSwift {
      verdict.look()
      let missing = Plan.settings.subtracting(target.settings)
      if !missing.isEmpty { verdict.problem("\(target.name) is compiled without \(missing.sorted())") }
      let weakening = target.settings.filter { $0.hasPrefix("unsafeFlags") || $0.contains("warning)") }
      if !weakening.isEmpty { verdict.problem("\(target.name) is compiled with \(weakening.sorted())") }
    }
    return verdict
  }
}
