// The rules about floors and trust: a fixture that breaks each, then the house itself.

import Foundation
import Testing

@Suite("The map")
struct FloorTests {
  /// A small house in which everything is as it should be.
  private static let sound = Manifest(targets: [
    room("Contracts", reason: "agreement"),
    Manifest.Target(name: "COpenSSL", kind: "system", reason: "door"),
    room("Cryptography", ["COpenSSL"], reason: "door"),
    room("Grants", ["Contracts", "Cryptography"], reason: "agreement"),
    room("Vault", ["Grants"], reason: "vault"),
    room("GrantIssuer", ["Vault"], reason: "process"),
    room("MissionRunner", ["Contracts"], reason: "process"),
    room("mandate-runner", kind: "executable", ["MissionRunner"]),
    room("GrantsTests", kind: "test", ["Grants", "Vault"]),
  ])

  private static func room(
    _ name: String, kind: String = "regular", _ dependencies: [String] = [], reason: String? = nil
  ) -> Manifest.Target {
    Manifest.Target(
      name: name, kind: kind, dependencies: dependencies, settings: Plan.settings, reason: reason)
  }

  private func broken(_ target: Manifest.Target) -> Manifest {
    Manifest(targets: Self.sound.targets.filter { $0.name != target.name } + [target])
  }

  @Test("A sound house breaks no rule")
  func sound() {
    for rule in [
      FloorRules.arrowsGoDown, FloorRules.kindsFit, FloorRules.reasonsAreGiven, FloorRules.settingsAreShared,
      TrustRules.nothingForbiddenIsReached, TrustRules.onlyDoorsLinkLibraries, TrustRules.pureRoomsStayPure,
    ] { expectPassed(rule(Self.sound)) }
  }

  @Test("A room without a floor, an arrow that goes up, one that stays level, one to a test or to nowhere are caught")
  func arrows() {
    let check = FloorRules.arrowsGoDown
    expectCaught(check(broken(Self.room("Attic"))), naming: "Attic", "no floor")
    expectCaught(check(broken(Self.room("Contracts", ["Grants"]))), naming: "Contracts", "floor 2")
    expectCaught(check(broken(Self.room("Postgres", ["Cryptography"]))), naming: "Postgres on floor 1", "floor 1")
    expectCaught(check(broken(Self.room("Missions", ["GrantsTests"]))), naming: "tests only")
    expectCaught(check(broken(Self.room("Missions", ["Elsewhere"]))), naming: "Elsewhere", "not a target")
  }

  @Test("A target of the wrong kind for its floor is caught")
  func kinds() {
    let check = FloorRules.kindsFit
    expectCaught(check(broken(Self.room("Checks", kind: "test"))), naming: "Checks")
    expectCaught(check(broken(Self.room("mandate"))), naming: "not executable")
    expectCaught(check(broken(Self.room("tool", kind: "executable", ["MissionRunner"]))), naming: "not on floor 5")
    expectCaught(check(broken(Self.room("mandate-dev", kind: "executable", ["Grants"]))), naming: "floor 4")
    var example = Self.room("Example", kind: "executable", ["Grants"])
    example.path = "Tests/Example"
    expectPassed(check(broken(example)))
    expectCaught(check(broken(Self.room("CZlib", kind: "system"))), naming: "CZlib", "without a door")
    expectCaught(check(broken(Self.room("Generator", kind: "plugin"))), naming: "plugin")
  }

  @Test("A room that gives no reason, or one that does not fit its floor, is caught")
  func reasons() {
    let check = FloorRules.reasonsAreGiven
    expectCaught(check(broken(Self.room("Missions"))), naming: "Missions")
    expectCaught(check(broken(Self.room("Missions", reason: "convenience"))), naming: "Missions")
    expectCaught(check(broken(Self.room("Missions", reason: "process"))), naming: "process on floor 2")
  }

  @Test("A reason counts only in the one line directly above its target")
  func reasonsAreAbove() {
    let text = """
        // door: stands above.
        .target(name: "Near", swiftSettings: house),
        // agreement: stands above a target that is written over several lines.
        .target(
          name: "Long", dependencies: []),
        // vault: has an empty line below it.

        .target(name: "Far"),
        // process: is followed by another comment
        // that says something else.
        .target(name: "Buried"),
        .target(name: "Bare"),
      """
    #expect(Manifest.reasons(in: text) == ["Near": "door", "Long": "agreement"])
  }

  @Test("A target that leaves out a house setting, makes it conditional or weakens it is caught")
  func settings() {
    let check = FloorRules.settingsAreShared
    func compiled(_ settings: Set<String>, kind: String = "regular") -> Manifest {
      broken(Manifest.Target(name: "XTests", kind: kind, settings: settings))
    }
    for setting in Plan.settings {
      expectCaught(check(compiled(Plan.settings.subtracting([setting]))), naming: "XTests", setting)
      expectCaught(check(compiled(Plan.settings.subtracting([setting]).union([setting + " if …"]))), naming: setting)
    }
    expectCaught(check(compiled([], kind: "test")), naming: "XTests")
    expectCaught(check(compiled(Plan.settings.union(["unsafeFlags(-Ounchecked)"]))), naming: "unsafeFlags")
    expectCaught(check(compiled(Plan.settings.union(["treatWarning(StrictMemorySafety, warning)"]))), naming: "warning")
    var old = Self.sound
    old.languageModes = ["5"]
    expectCaught(check(old), naming: "5")
    var fetching = Self.sound
    fetching.packages = 1
    expectCaught(check(fetching), naming: "fetched")
  }

  @Test("A key within reach of the runner, a vault within reach of anyone but the issuer: caught, however far below")
  func trust() {
    let check = TrustRules.nothingForbiddenIsReached
    expectCaught(
      check(broken(Self.room("mandate-runner", kind: "executable", ["Grants"]))), naming: "mandate-runner",
      "Cryptography")
    expectCaught(check(broken(Self.room("Operator", ["Vault"]))), naming: "Operator reaches Vault")
    expectCaught(check(broken(Self.room("Newcomer", ["GrantIssuer"]))), naming: "Newcomer reaches Vault")
    expectCaught(check(broken(Self.room("Store", ["COpenSSL"]))), naming: "Store")
    expectCaught(check(broken(Self.room("Identity", ["Grants"]))), naming: "Identity", "Grants")
    let withDevelopment = broken(Self.room("Development"))
    let shipped = Manifest(
      targets: withDevelopment.targets + [Self.room("mandate", kind: "executable", ["Development"])])
    expectCaught(check(shipped), naming: "mandate reaches Development")
  }

  @Test("A room that links a C library past its door is caught")
  func libraries() {
    let check = TrustRules.onlyDoorsLinkLibraries
    expectCaught(check(broken(Self.room("Grants", ["COpenSSL"]))), naming: "Grants links COpenSSL")
    expectCaught(check(broken(Self.room("ServiceRuntime", ["CLibevent"]))), naming: "ServiceRuntime links CLibevent")
    expectPassed(check(broken(Self.room("HTTPServing", ["CLibevent", "COpenSSL"]))))
  }

  @Test("A pure room that uses anything of the house is caught")
  func purity() {
    let check = TrustRules.pureRoomsStayPure
    expectCaught(check(broken(Self.room("Contracts", ["COpenSSL"]))), naming: "Contracts")
    expectCaught(check(broken(Self.room("Secrets", ["COpenSSL"]))), naming: "Secrets")
    expectCaught(check(broken(Self.room("Missions", ["Contracts", "Cryptography"]))), naming: "Missions")
    expectCaught(check(broken(Self.room("HTTPFetching", ["Contracts"]))), naming: "HTTPFetching", "Contracts")
  }

  @Test("SwiftPM's dump is read as it is written")
  func dump() throws {
    let json = """
      {"dependencies": [{"sourceControl": []}], "swiftLanguageVersions": ["6"], "targets": [
        {"name": "A", "type": "regular", "path": "Elsewhere/A",
         "dependencies": [{"byName": ["B", null]}, {"target": ["C", {"platformNames": ["linux"]}]},
           {"product": ["D", "package", null, null]}],
         "settings": [{"kind": {"strictMemorySafety": {}}, "tool": "swift"},
           {"kind": {"treatAllWarnings": {"_0": "error"}}, "tool": "swift", "condition": {"config": "debug"}},
           {"kind": {"treatWarning": {"_0": "X", "_1": "warning"}}, "tool": "swift"},
           {"kind": {"unsafeFlags": {"_0": ["-a", "b"]}}, "tool": "swift"}]}]}
      """
    let manifest = try Manifest(json: Data(json.utf8), text: "  // door: to A.\n  .target(name: \"A\"),")
    let target = try #require(manifest.target("A"))
    #expect(manifest.packages == 1)
    #expect(manifest.languageModes == ["6"])
    #expect(target.dependencies == ["B", "C", "D"])
    #expect(target.path == "Elsewhere/A")
    #expect(target.reason == "door")
    #expect(
      target.settings == [
        "strictMemorySafety", "treatAllWarnings(error) if …", "treatWarning(X, warning)", "unsafeFlags(-a b)",
      ])
  }

  @Test("Package.swift keeps every rule of the map")
  func house() throws {
    let manifest = try House.manifest()
    expectKept("arrows go down", FloorRules.arrowsGoDown(manifest))
    expectKept("kinds fit their floor", FloorRules.kindsFit(manifest))
    expectKept("each room gives its reason", FloorRules.reasonsAreGiven(manifest))
    expectKept("settings are shared", FloorRules.settingsAreShared(manifest))
    expectKept("nothing forbidden is reached", TrustRules.nothingForbiddenIsReached(manifest))
    expectKept("only doors link libraries", TrustRules.onlyDoorsLinkLibraries(manifest))
    expectKept("pure rooms stay pure", TrustRules.pureRoomsStayPure(manifest))
  }
}
