// A service whose clock is an hour off, to either side. Whether a v2 grant has expired is decided by the database's
// clock, so nothing changes for it; a v1 blob is held against this machine's. The check of the clock says that something
// is wrong: it ends a start, and takes a running service's readiness away.

import Contracts
import Foundation
import HTTPSupport
import PostgresSupport
import Store
import StoreSupport
import Testing

@Suite("A clock that is an hour off", .serialized)
struct FailureClockTests {
  private static let words = "this machine's clock is more than 5 s off the database's; synchronise both"

  @Test("It ends the start")
  func start() async throws {
    try await World.with(durable: true) { world in
      for offset in ["+1h", "-1h"] {
        let clock = try FakeClock()
        try clock.set(offset)
        let process = try await ResolverProcess(world.database, pems: Failure.keys, clock.environment)
        let broken = try await process.line("The service cannot start: a check is broken.")
        #expect(broken["reason"]?.text == "clock" && broken["detail"]?.text == Self.words)
        #expect(try await process.end() == 1)
      }
    }
  }

  @Test(
    "While it runs, v2 grants live and expire by the database's clock, v1 blobs by the machine's, and it is not ready")
  func running() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      try await world.addRecord("a", "notes:n2", ["title": try World.sealedV1("a", "old", "former")])
      // Of seven days, each within the hour by which the clock will be off.
      let live = try await world.addGrant("a", "live", ["notes:n1"], issued: "-7 days +30 minutes")
      let expired = try await world.addGrant("a", "expired", ["notes:n1"], issued: "-7 days -30 minutes")
      let requests = [
        request("a", "live", live.json, notes("n1")), request("a", "expired", expired.json, notes("n1")),
        request("a", "old", try World.blob("a", "old", ["notes:n2"], lasts: 1_800_000), notes("n2")),
        request("a", "old", try World.blob("a", "old", ["notes:n2"], lasts: -1_800_000), notes("n2")),
      ]
      // One service is early and one is late, at the same time: their checks look only every few seconds.
      try await withThrowingTaskGroup(of: Void.self) { group in
        for offset in ["+1h", "-1h"] { group.addTask { try await run(world, requests, offset) } }
        try await group.waitForAll()
      }
      try await world.verifyChains()
    }
  }

  private func run(_ world: World, _ requests: [ResolveCall.Request], _ offset: String) async throws {
    let clock = try FakeClock()
    let process = try await ResolverProcess(world.database, pems: Failure.keys, clock.environment)
    let caller = try Caller(try await process.address())
    #expect(try await caller.answers(requests).map(\.grant) == ["ok", "expired", "ok", "expired"])
    #expect(try await caller.get("/ready").status == 200)

    try clock.set(offset)
    let isAhead = offset.hasPrefix("+")
    let answers = try await caller.answers(requests)
    #expect(answers.map(\.grant) == ["ok", "expired"] + (isAhead ? ["expired", "expired"] : ["ok", "ok"]))
    #expect(answers[0].inputs == ["n1: T | C"] && answers[1].inputs == ["n1: expired"])
    #expect(answers[3].inputs == [isAhead ? "n2: expired" : "n2: former | \"\""])
    let broken = try await process.line("A check is broken; this service is not ready.", about: "clock")
    #expect(broken["detail"]?.text == Self.words)
    let ready = try await caller.get("/ready")
    #expect(ready.status == 503 && ready.body.contains(Self.words))
    // It serves all the same: who sends work decides by /ready, and no share depends on this clock.
    #expect(try await caller.answers(requests).map(\.grant) == answers.map(\.grant))

    #expect(try await process.stop() == 0)
  }
}

/// libfaketime in front of a service's C library: it says what time it is, and a file tells it what to say. Monotonic
/// clocks, which deadlines are measured by, stay as they are.
private final class FakeClock: Sendable {
  private let folder: String
  private let libraries: [String]

  init() throws {
    folder = FileManager.default.temporaryDirectory.path + "/mandate-clock-\(UUID().uuidString.prefix(8))"
    let parent = "/usr/lib"
    let found = try FileManager.default.contentsOfDirectory(atPath: parent)
      .map { "\(parent)/\($0)/faketime/libfaketimeMT.so.1" }.filter { FileManager.default.fileExists(atPath: $0) }
    guard let library = found.first else { throw SupportError.missing("libfaketime") }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    libraries = [folder + "/timers.so", library]
    try Self.timers.write(toFile: folder + "/timers.c", atomically: true, encoding: .utf8)
    // The compiler that Swift brings along.
    _ = try Program.lines("clang", "-shared", "-fPIC", folder + "/timers.c", "-o", libraries[0])
    try set("+0")
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: folder) } catch { print("left behind: \(folder)") }
  }

  /// libfaketime moves every absolute timer, as if all of them were the wall clock's. Dispatch's are the monotonic
  /// clock's, so they would come an hour late; this leads them past it.
  private static let timers = """
    #include <sys/syscall.h>
    #include <sys/timerfd.h>
    #include <unistd.h>
    int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old) {
      return syscall(SYS_timerfd_settime, fd, flags, value, old);
    }
    """

  private var file: String { folder + "/offset" }

  /// From the next look at a clock.
  func set(_ offset: String) throws { try Data((offset + "\n").utf8).write(to: URL(filePath: file), options: .atomic) }

  var environment: [String: String] {
    [
      "LD_PRELOAD": libraries.joined(separator: ":"), "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1",
      "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    ]
  }
}
