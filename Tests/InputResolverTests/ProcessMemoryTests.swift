// The promise that nothing stays behind, kept by the built service: after hundreds of answers, refusals and callers that
// went away, its whole memory holds no opened text and no key of a mission or record.

import Contracts
import Cryptography
import Foundation
import Glibc
import Grants
import Secrets
import Testing

@Suite("The memory of the built resolver", .serialized)
struct ProcessMemoryTests {
  /// Reading a process that is not dumpable takes root.
  static let isAllowed = getuid() == 0

  @Test(
    "After hundreds of answers, failures and lost callers there is no opened text and no key in it",
    .enabled(if: isAllowed, "skipped: only root may read the memory of a process that is not dumpable"))
  func nothingStays() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      let text = "opened text \(newID()) \(newID())"
      try await world.addNote("a", "n1", title: "title of it", content: text)
      // The first field opens, the second one was moved here from another record.
      try await world.addRecord(
        "a", "notes:n2",
        [
          "title": try World.sealed("a", "notes:n2", "title", text),
          "content": try World.sealed("a", "notes:n1", "content", text),
        ])
      let grant = try await world.addGrant("a", "m", ["notes:n1", "notes:n2"])
      let process = try await ResolverProcess(world.database, pems: ["a.pem": Pair.own.pem])
      let caller = try Caller(try await process.address())
      let good = request("a", "m", grant.json, notes("n1", "n2"))
      for _ in 0..<300 {
        let answers = try await caller.answers([good, request("a", "x", .null, notes("n1"))])
        #expect(answers[0].inputs.first == "n1: title of it | \(text)")
      }
      for _ in 0..<60 { _ = try await caller.resolve(Array("{}".utf8)) }
      // Callers that go away while they are being answered.
      for _ in 0..<60 {
        let asking = Task { try await caller.answers(Array(repeating: good, count: 8)) }
        for _ in 0..<Int.random(in: 0..<50) { await Task.yield() }
        asking.cancel()
        _ = await asking.result
      }
      // Whatever a request is still doing is done when the service has ended all it had, so a last one waits for it.
      _ = try await caller.answers([good])
      for _ in 0..<200 { _ = try await caller.get("/health") }

      let patterns = [
        Data(text.utf8), Data(text.utf8.dropFirst(12).prefix(36)), try Self.recordKey("n1"), try Self.recordKey("n2"),
        try Self.missionKey(grant.id), Data(process.keys.path.utf8),
      ]
      #expect(try Self.areTheKeys(patterns[2], patterns[4], grant.id), "what is looked for is what there was")
      let memory = ForeignMemory(process: process.pid)
      let (counts, bytes) = try memory.occurrences(of: patterns)
      #expect(bytes > 1 << 20)
      #expect(counts.dropLast() == [0, 0, 0, 0, 0])
      #expect(counts[5] > 0, "the search sees what is there")
      process.signal(SIGTERM)
      #expect(try await process.end() == 0)
    }
  }

  /// The bytes are computed here by hand, because the keys themselves give none out; these say whether they are right.
  private static func areTheKeys(_ record: Data, _ mission: Data, _ grant: String) throws -> Bool {
    var deriver = try KeyDeriver()
    let master = try World.master("a")
    let name = try RecordName(joined: "notes:n1")
    let scope = try Scope(of: [name, RecordName(joined: "notes:n2")])
    let recordKey = try deriver.recordKey(master: master, user: Identifier("a"), record: name)
    let missionKey = try deriver.missionKeyV2(
      master: master, user: Identifier("a"), mission: Identifier("m"), grantId: Identifier(grant), scope: scope)
    let (one, other) = ([UInt8](record), [UInt8](mission))
    return recordKey.equals(one.span) && missionKey.equals(other.span)
  }

  private static func recordKey(_ id: String) throws -> Data {
    var info = Frame()
    info.add("mandate/v2/record-key")
    for part in ["a", "notes", id] { info.add(part) }
    return try derive(salt: [], info: info.bytes)
  }

  private static func missionKey(_ grant: String) throws -> Data {
    var claim = Frame()
    for part in ["a", "m", grant] { claim.add(part) }
    let scope = try Scope(of: [RecordName(joined: "notes:n1"), RecordName(joined: "notes:n2")])
    scope.addRecords(to: &claim)
    var info = Frame()
    info.add("mandate/v2/mission-key")
    info.add(SHA256.digest(claim.bytes))
    return try derive(salt: Array("m".utf8), info: info.bytes)
  }

  private static func derive(salt: [UInt8], info: [UInt8]) throws -> Data {
    let master = try World.master("a")
    var hkdf = try HKDFSHA256()
    let key = try hkdf.derive(ikm: master.bytes, salt: salt.span, info: info.span, count: 32)
    return Data([UInt8](copying: key.bytes))
  }
}
