// The largest call there may be, and one more of everything: 256 missions, 4,000 inputs, 8 MiB of call, 32 MiB of answer.

import Contracts
import Foundation
import HTTPFetching
import ServiceProcesses
import StoreSupport
import Testing

@testable import InputResolver

@Suite("The largest batch", .serialized)
struct FailureLargestTests {
  /// Sixteen users, whose missions stand sixteen times in a call and ask for one note up to sixteen times.
  private static let side = 16

  /// 256 missions with 4,000 inputs in all; the last one is a note that is asked for nowhere else.
  private static func requests(_ grants: [JSONValue]) -> [ResolveCall.Request] {
    var left = ResolveCall.mostInputs
    return (0..<ResolveCall.mostRequests).map { place in
      let others = ResolveCall.mostRequests - place - 1
      let count = min(side, left - others * (side - 1))
      left -= count
      var ids = [String](repeating: "n1", count: count)
      if others == 0 { ids[count - 1] = "solo" }
      let inputs = ids.map { ResolveCall.InputRef(module: "notes", table: "notes", id: $0) }
      return request("u\(place % side)", "m", grants[place % side], inputs)
    }
  }

  private static func fill(_ world: World, title: String) async throws -> [JSONValue] {
    var grants: [JSONValue] = []
    for user in (0..<side).map({ "u\($0)" }) {
      try await world.addUser(user)
      try await world.addNote(user, "n1", title: title, content: "C")
      grants.append(try await world.addGrant(user, "m", ["notes:n1", "notes:solo"]).json)
    }
    return grants
  }

  /// What became of each input, counted; read by Foundation, because the answer is as long as it may be.
  private static func outcomes(_ body: String) throws -> (shown: Int, refused: [String: Int]) {
    let json = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
    var (shown, refused) = (0, [String: Int]())
    for result in json?["results"] as? [[String: Any]] ?? [] {
      shown += (result["inputs"] as? [Any])?.count ?? 0
      for refusal in result["refused"] as? [[String: String]] ?? [] {
        refused[refusal["reason"] ?? "?", default: 0] += 1
      }
    }
    return (shown, refused)
  }

  private static func body(_ requests: [ResolveCall.Request]) -> [UInt8] {
    ResolveCall(purpose: "mission-tick", requests: requests).json.compactBytes()
  }

  @Test("256 missions and 8 MiB are a call, of which 4,000 inputs are shown; one more of each is refused by name")
  func call() async throws {
    try await World.with(durable: true) { world in
      let grants = try await Self.fill(world, title: "T")
      try await world.addNote("u15", "solo", title: "T", content: "C")
      let process = try await ResolverProcess(world.database, pems: Failure.keys)
      var caller = try Caller(try await process.address())
      caller.limits.bodyBytes = ResolveReply.mostBytes
      let requests = Self.requests(grants)
      #expect(requests.count == 256 && requests.reduce(0) { $0 + $1.inputs.count } == 4_000)
      // The first mission asks for one more, so the last input of all is the one too many.
      let first = requests[0]
      let wider = request(first.user, first.mission, first.grant, first.inputs + notes("n1"))
      let call = Self.body([wider] + requests.dropFirst())
      // As long as a call may be: what stands between its members is nobody's business.
      let longest = call + [UInt8](repeating: UInt8(ascii: " "), count: ResolveCall.mostBytes - call.count)
      let answer = try await caller.resolve(longest)
      #expect(answer.status == 200)
      let outcomes = try Self.outcomes(answer.body)
      #expect(outcomes.shown == 4_000 && outcomes.refused == ["batch-too-large": 1])
      let last = (try JSONValue(parsing: answer.body)["results"]?.array ?? []).last.map { Answer($0) }
      #expect(last?.inputs.last == "solo: batch-too-large")

      let tooLong = try await caller.resolve(longest + [UInt8(ascii: " ")])
      #expect(tooLong.status == 413 && tooLong.body.contains("BODY_TOO_LARGE"))
      let tooMany = try await caller.resolve(Self.body(requests + [first]))
      #expect(tooMany.status == 413 && tooMany.body.contains("BATCH_TOO_LARGE"))
      #expect(try process.peakKiB() < Self.mostKiB)
      #expect(try await process.stop() == 0)
      try await world.verifyChains()
    }
  }

  @Test("An answer that is as long as it may be is whole; one byte more costs its last input")
  func boundary() async throws {
    try await World.with { world in
      try await world.addUser("a")
      for id in ["n1", "n2"] {
        try await world.addNote("a", id, title: String(repeating: "t", count: 50), content: "C")
      }
      let grant = try await world.addGrant("a", "m", ["notes:n1", "notes:n2"])
      let asked = request("a", "m", grant.json, notes("n1", "n2"))
      var rules = InputResolver.Rules()
      rules.mostReplyBytes = Self.bytesWithoutText([asked]) + 2 * (Self.bytes(of: asked.inputs[0]) + 50 + 1)
      #expect(try await world.resolver(rules: rules).answer(asked).inputs.map { $0.prefix(6) } == ["n1: tt", "n2: tt"])
      rules.mostReplyBytes -= 1
      let cut = try await world.resolver(rules: rules).answer(asked).inputs
      #expect(cut.map { $0.prefix(6) } == ["n1: tt", "n2: ba"] && cut.last == "n2: batch-too-large")
      #expect(try await world.log("a").last == "n2 failed batch-too-large 4")
    }
  }

  @Test(
    "An answer of 32 MiB is whole, one byte more costs its last input; and the memory for it is bounded",
    .enabled(
      if: Rounds.isSoak,
      "skipped: a build for debugging can't make 32 MiB of answer within the 30 s it has; make soak does it with a release"
    ))
  func reply() async throws {
    try await World.with(durable: true) { world in
      // What the limit leaves for titles, by the same count that the resolver makes.
      let empty = Self.requests([JSONValue](repeating: .null, count: Self.side))
      let inputs = empty.flatMap(\.inputs)
      let bare = inputs.reduce(0) { $0 + Self.bytes(of: $1) + 1 }
      let room = ResolveReply.mostBytes - Self.bytesWithoutText(empty) - bare
      let usual = room / inputs.count
      let grants = try await Self.fill(world, title: String(repeating: "t", count: usual))
      let longest = room - usual * (inputs.count - 1)
      try await world.addNote("u15", "solo", title: String(repeating: "t", count: longest), content: "C")
      let process = try await ResolverProcess(world.database, pems: Failure.keys, built: BuiltService.released)
      var caller = try Caller(try await process.address())
      caller.limits.bodyBytes = ResolveReply.mostBytes
      let call = Self.body(Self.requests(grants))
      let began = try process.peakKiB()
      let whole = try await caller.resolve(call)
      let peak = try process.peakKiB()
      let outcomes = try Self.outcomes(whole.body)
      #expect(outcomes.shown == 4_000 && outcomes.refused == [:])
      #expect(whole.body.utf8.count > ResolveReply.mostBytes * 7 / 8)

      try await world.addNote("u15", "solo", title: String(repeating: "t", count: longest + 1), content: "C")
      let cut = try await caller.resolve(call)
      let less = try Self.outcomes(cut.body)
      #expect(less.shown == 3_999 && less.refused == ["batch-too-large": 1])
      #expect(try await world.log("u15").contains { $0.hasPrefix("solo failed batch-too-large ") })
      var again = try process.peakKiB()
      for _ in 0..<5 {
        _ = try await caller.resolve(call)
        again = try process.peakKiB()
      }
      print(
        "largest answer: \(whole.body.utf8.count) bytes; peak \(began >> 10) MiB before, \(peak >> 10) MiB after one, "
          + "\(again >> 10) MiB after seven")
      #expect(peak < Self.mostKiB && again < Self.mostKiB)
      #expect(try await process.stop() == 0)
      try await world.verifyChains()
    }
  }

  /// Sealed rows as libpq holds them and as they are decoded, what was opened of them, and the answer: each of these is a
  /// copy of 32 MiB or a third more, and all are there at the end of the largest batch.
  private static let mostKiB = 512 << 10

  private static func bytes(of input: ResolveCall.InputRef) -> Int {
    var count = ByteCount()
    let content = [UInt8(ascii: "C")]
    ResolveReply.input(input, title: [UInt8]().span, content: content.span, &count)
    return count.bytes
  }

  /// Everything but the inputs, each of them refused in the longest words, and a few bytes around it.
  private static func bytesWithoutText(_ requests: [ResolveCall.Request]) -> Int {
    var count = ByteCount()
    for request in requests {
      ResolveReply.beginResult(
        ResolveReply.Head(mission: request.mission, grant: .notConfigured, outage: .unavailable), isFirst: false, &count
      )
      ResolveReply.endResult(
        refused: request.inputs.map { ResolveReply.Refusal($0, reason: "ciphertext-tampered-or-wrong-key") },
        receipts: ResolveReply.Receipts(from: .max, to: .max, hash: [UInt8](repeating: 0, count: 32)), &count)
    }
    return count.bytes + 16
  }
}

private struct ByteCount: ByteSink {
  private(set) var bytes = 0
  mutating func append(_ byte: UInt8) { bytes += 1 }
  mutating func append(_ more: Span<UInt8>) { bytes += more.count }
}

extension ResolverProcess {
  /// The most memory that it has had at once.
  fileprivate func peakKiB() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kib = Int(line.dropFirst(6).dropLast(2).trimmingCharacters(in: .whitespaces))
    else { throw Silence(event: "VmHWM", said: [status]) }
    return kib
  }
}
