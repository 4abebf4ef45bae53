// The promise that nothing stays behind, kept by the built service: after hundreds of answers, refusals and callers that
// went away, its whole memory holds no opened text and no key of a mission or record.

import Contracts
import Foundation
import Glibc
import MemoryInspection
import Testing

@Suite("The memory of the built resolver", .serialized)
struct ProcessMemoryTests {
  static let isAllowed = Sanitizer.isAbsent && Debugger.isAllowed

  @Test(
    "After hundreds of answers, failures and lost callers there is no opened text and no key in it",
    .enabled(if: isAllowed, "skipped: this user may not read the memory of a process that is not dumpable"))
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

      let keys = KeyBytes(user: "a", mission: "m", grant: grant.id, notes: ["n1", "n2"])
      #expect(try keys.areRight(), "what is looked for is what there was")
      let patterns = [Data(text.utf8), Data(text.utf8.dropFirst(12).prefix(36))] + (try keys.all())
      #expect(try patterns.map { try $0.count(in: process.pid) } == [0, 0, 0, 0, 0])
      #expect(try Data(process.keys.path.utf8).count(in: process.pid) > 0, "the search sees what is there")
      process.signal(SIGTERM)
      #expect(try await process.end() == 0)
    }
  }
}
