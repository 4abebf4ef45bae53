// While the built rewrap waits for the database its whole memory is looked through: the mission keys that it has just held
// are gone from it, those of grants that it has moved and those of grants in hand.

import Contracts
import Cryptography
import Foundation
import Glibc
import Grants
import Secrets
import Testing

@Suite("The memory of the built rewrap", .serialized)
struct RewrapMemoryTests {
  @Test(
    "No mission key outlives its wrapping",
    .enabled(
      if: ProcessMemoryTests.isAllowed, "skipped: only root may read the memory of a process that is not dumpable"))
  func nothingStays() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      var keys: [Data] = []
      for number in 0..<24 {
        let (mission, grant) = ("m\(number)", try await world.addGrant("a", "m\(number)", ["notes:n1"]))
        let key = try Self.missionKey(mission, grant.id)
        #expect(try Self.isTheKey(key, mission, grant.id), "what is looked for is what there was")
        keys.append(key)
      }
      let process = try await RewrapProcess(
        world, ["2026-01-01.resolver.pem": Pair.own.pem, "2026-02-01.resolver.pem": Pair.other.pem], ["rewrap"],
        ["MANDATE_DATABASE_CONNECTIONS": "2"])
      let patterns = keys + [Data(process.folder.path.utf8)]
      try await world.holding(after: 12) {
        while try await world.openGrants(KeyChange.current) < 12 {}
        // Both lanes have wrapped their next grant when both wait for its row.
        let waiting = """
          SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
            AND query LIKE '%rewrap_grant%'
          """
        while try await world.texts(waiting) != ["2"] {}
        let (counts, bytes) = try ForeignMemory(process: process.pid).occurrences(of: patterns)
        #expect(bytes > 1 << 20)
        #expect(counts.dropLast().allSatisfy { $0 == 0 }, "\(counts)")
        #expect(counts[patterns.count - 1] > 0, "the search sees what is there")
      }
      #expect(try await process.end().code == 0)
    }
  }

  /// The bytes are computed here by hand, because the key itself gives none out; the other says whether they are right.
  private static func missionKey(_ mission: String, _ grant: String) throws -> Data {
    var claim = Frame()
    for part in ["a", mission, grant] { claim.add(part) }
    try Scope(of: [RecordName(joined: "notes:n1")]).addRecords(to: &claim)
    var info = Frame()
    info.add("mandate/v2/mission-key")
    info.add(SHA256.digest(claim.bytes))
    let master = try World.master("a")
    let (salt, bytes) = (Array(mission.utf8), info.bytes)
    var hkdf = try HKDFSHA256()
    let key = try hkdf.derive(ikm: master.bytes, salt: salt.span, info: bytes.span, count: 32)
    return Data([UInt8](copying: key.bytes))
  }

  private static func isTheKey(_ bytes: Data, _ mission: String, _ grant: String) throws -> Bool {
    var deriver = try KeyDeriver()
    let scope = try Scope(of: [RecordName(joined: "notes:n1")])
    let key = try deriver.missionKeyV2(
      master: World.master("a"), user: Identifier("a"), mission: Identifier(mission), grantId: Identifier(grant),
      scope: scope)
    let expected = [UInt8](bytes)
    return key.equals(expected.span)
  }
}
