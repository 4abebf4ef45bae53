// Keys from a master key: known values, what each depends on, and what gives no key.

import Contracts
import Cryptography
import Secrets
import Testing

@testable import Grants

@Suite struct DerivationTests {
  private func v1(
    _ mission: String, _ tables: [String], _ ids: [String], master: [UInt8] = ThrowAway.masterKey
  ) throws -> String {
    var deriver = try KeyDeriver()
    let key = try deriver.missionKeyV1(master: secret(master), mission: mission, tables: tables, recordIds: ids)
    return Hex.encode(bytes(key))
  }

  @Test("Mission keys of v1 have the values that every other implementation has")
  func knownV1() throws {
    let (notes, ids) = (["notes", "tasks"], ["notes:n1", "tasks:t1"])
    #expect(
      try v1("mission-abc", notes, ids) == "7538df66c51d3ddb667c0135feb4ac7c2800ba372babc7e61e9423d6a9a65628")
    #expect(
      try v1("mission-abc", notes, ["notes:n1"] + ids)
        == "c5997907234dce1be5c864173122dc3c6d800b3e3b4c79fba04b723e37725113")
    #expect(
      try v1("m", ["notes"], ["notes:\u{FF5E}", "notes:\u{1F600}", "notes:\u{E000}"])
        == "e61b225fcca285b2e679059aecc32e57daae41f0123c6b5909ceee3a4494f322")
    #expect(
      try v1("m", ["notes"], ["notes:\u{E9}", "notes:e\u{301}"])
        == "8422344edef003ceea8b9fdaf6dd36607a88486cb3f728f1827a14ab96cfa79b")
    #expect(
      try v1("\u{E9}", ["B", "a", "b", "A"], ["notes:10", "notes:9"])
        == "a1d7ed9392e93a93c337fbc45fec1947770b8338a91b0337c15f180b7ed1a3bc")
    #expect(
      try v1(String(repeating: "x", count: 65), notes, ids)
        == "5f2acc9118b2912112103763432ee2ee83fdb58ffc03f600e9cb0a88e20e7bb3")
  }

  @Test("A v1 key does not depend on the order of the lists, and does on repetitions and on normal forms")
  func listsV1() throws {
    let key = try v1("m", ["a", "b"], ["a:1", "b:2"])
    #expect(try v1("m", ["b", "a"], ["b:2", "a:1"]) == key)
    #expect(try v1("m", ["a", "b"], ["a:1", "a:1", "b:2"]) != key)
    #expect(try v1("m", ["a", "a", "b"], ["a:1", "b:2"]) != key)
    #expect(try v1("m", ["notes"], ["notes:" + composed]) != v1("m", ["notes"], ["notes:" + decomposed]))
    #expect(try v1(composed, ["notes"], ["notes:1"]) != v1(decomposed, ["notes"], ["notes:1"]))
  }

  @Test("v1 confuses scopes where v2 does not: the comma inside a name")
  func collision() throws {
    #expect(try v1("m", ["notes"], ["notes:1,notes:2"]) == v1("m", ["notes"], ["notes:1", "notes:2"]))
    #expect(try v2 { $0.scope = scope("notes:1,notes:2") } != v2 { $0.scope = scope("notes:1", "notes:2") })
  }

  @Test("A master key of any length but 32 gives no key, and neither does another version", arguments: 0...64)
  func masterKeyLength(count: Int) throws {
    let master = try secret([UInt8](repeating: 7, count: count))
    let wanted: DerivationFailure? = count == 32 ? nil : .masterKeyLength(count)
    var deriver = try KeyDeriver()
    #expect(
      failure { () throws(DerivationFailure) in
        _ = try deriver.missionKeyV1(master: master, mission: "m", tables: [], recordIds: [])
      } == wanted)
    #expect(
      failure { () throws(DerivationFailure) in
        _ = try deriver.missionKeyV2(
          master: master, user: id("u"), mission: id("m"), grantId: id("g"), scope: scope("notes:n1"))
      } == wanted)
    #expect(
      failure { () throws(DerivationFailure) in
        _ = try deriver.recordKey(master: master, user: id("u"), record: record("notes:n1"))
      } == wanted)
    #expect(
      failure { () throws(DerivationFailure) in
        _ = try deriver.missionKeyV1(master: master, version: "v2", mission: "m", tables: [], recordIds: [])
      } == (wanted ?? .unsupportedVersion("v2")))
  }

  @Test("Only the version v1 is derived the v1 way", arguments: ["v2", "V1", "", "v1 ", "v\u{2081}", "1"])
  func version(_ version: String) throws {
    let master = try secret(ThrowAway.masterKey)
    var deriver = try KeyDeriver()
    #expect(
      failure { () throws(DerivationFailure) in
        _ = try deriver.missionKeyV1(master: master, version: version, mission: "m", tables: [], recordIds: [])
      } == .unsupportedVersion(version))
  }

  // MARK: v2

  private struct Inputs {
    var master = ThrowAway.masterKey
    var user = "user"
    var mission = "mission"
    var grantId = "grant"
    var scope = GrantsTests.scope("notes:n1", "tasks:t1")
  }

  private func v2(_ change: (inout Inputs) -> Void = { _ in }) throws -> [UInt8] {
    var inputs = Inputs()
    change(&inputs)
    var deriver = try KeyDeriver()
    let key = try deriver.missionKeyV2(
      master: secret(inputs.master), user: id(inputs.user), mission: id(inputs.mission), grantId: id(inputs.grantId),
      scope: inputs.scope)
    return bytes(key)
  }

  @Test("Each input of a v2 mission key is in the key, and only the order of records is not")
  func missionKeyInputs() throws {
    let changes: [(inout Inputs) -> Void] = [
      { _ in }, { $0.master[31] ^= 1 }, { $0.user = "users" }, { $0.mission = "missions" }, { $0.grantId = "grants" },
      { $0.scope = scope("notes:n1") }, { $0.scope = scope("notes:n1", "tasks:t1", "tasks:t2") },
      { $0.scope = scope("notes:n1", "tasks:t2") }, { $0.scope = scope("notes:n1", "task:t1") },
      { ($0.user, $0.mission) = ("userm", "ission") }, { ($0.mission, $0.grantId) = ("missiong", "rant") },
      { $0.user = composed }, { $0.user = decomposed }, { $0.mission = composed }, { $0.mission = decomposed },
      { $0.scope = scope("notes:" + composed) }, { $0.scope = scope("notes:" + decomposed) },
      { $0.scope = scope("a:x", "a1:y") }, { $0.scope = scope("a:y", "a1:x") },
      { $0.scope = scope("n:otes:n1", "tasks:t1") },
    ]
    let keys = try changes.map { try v2($0) }
    #expect(Set(keys).count == changes.count)
    #expect(try v2 { $0.scope = scope("tasks:t1", "notes:n1", "tasks:t1") } == keys[0])
  }

  @Test("Each input of a record key is in the key, and nothing else is")
  func recordKeyInputs() throws {
    var deriver = try KeyDeriver()
    func key(_ name: String, user: String = "user", master: [UInt8] = ThrowAway.masterKey) throws -> [UInt8] {
      let key = try deriver.recordKey(master: secret(master), user: id(user), record: record(name))
      return bytes(key)
    }
    let keys = [
      try key("notes:n1"), try key("notes:n2"), try key("note:sn1"), try key("Notes:n1"),
      try key("notes:n1", user: "users"),
      try key("a:1x"), try key("a1:x"), try key("notes:" + composed), try key("notes:" + decomposed),
      try key("notes:n1", user: composed), try key("notes:n1", user: decomposed),
      try key("notes:n1", master: [0] + ThrowAway.masterKey.dropFirst()),
    ]
    #expect(Set(keys).count == keys.count)
    #expect(try key("notes:n1") == keys[0])
  }

  @Test("A thousand records and the longest identifiers give a key like any other")
  func large() throws {
    let longest = String(repeating: "x", count: 256)
    let many = try Scope(of: (0..<1000).map { record("notes:\($0)") })
    #expect(try v2 { $0.scope = many }.count == 32)
    #expect(try v2 { ($0.user, $0.mission, $0.scope) = (longest, longest, scope("notes:" + longest)) }.count == 32)
  }

  @Test("The two versions never derive the same key from the same names")
  func versionsDiffer() throws {
    let one = try v1("mission", ["notes", "tasks"], ["notes:n1", "tasks:t1"])
    #expect(try Hex.encode(v2()) != one)
  }

  private func failure(_ body: () throws(DerivationFailure) -> Void) -> DerivationFailure? {
    do throws(DerivationFailure) {
      try body()
      return nil
    } catch { return error }
  }
}
