// `mandate-resolver rewrap` as an operator runs it: arguments, two streams, an exit code, signals and sudden death.

import Contracts
import Foundation
import Glibc
import Postgres
import PostgresSupport
import Store
import StoreSupport
import Synchronization
import Testing

@Suite("The built rewrap", .serialized)
struct RewrapProcessTests {
  private static let both = ["2026-01-01.resolver.pem": Pair.own.pem, "2026-02-01.resolver.pem": Pair.other.pem]

  @Test("It says what it would do, does it, and has nothing to do after that")
  func whole() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      for number in 0..<5 { _ = try await world.addGrant("a", "m\(number)", ["notes:n1"]) }
      let rows = try await world.grants()
      let dry = try await RewrapProcess(world, Self.both, ["rewrap", "--dry-run", "--json"]).end()
      #expect(dry.code == 0)
      let json = try JSONValue(parsing: dry.output)
      #expect(json["dryRun"] == .bool(true) && json["moved"]?.number?.integer == 5)
      #expect(json["currentKeyId"]?.text == KeyChange.current)
      #expect(try await world.grants() == rows)

      let run = try await RewrapProcess(world, Self.both, ["rewrap", "--from", KeyChange.former]).end()
      #expect(run.code == 0 && run.output.contains("Moved 5 grants to \(KeyChange.current)."))
      // Somebody who reads along is told how far it is; a program reads the answer alone.
      #expect(run.errors.contains("moving grants: 5 of 5 (100 %)") && !run.errors.contains("\r"))
      #expect(try await world.openGrants(KeyChange.current) == 5)
      let again = try await RewrapProcess(world, Self.both, ["rewrap", "--json"]).end()
      let nothing = try JSONValue(parsing: again.output)
      #expect(again.code == 0 && nothing["moved"]?.number?.integer == 0 && nothing["done"] == .bool(true))
    }
  }

  @Test("Killed in the middle and run again it finishes, and moves nothing twice")
  func killed() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      var requests: [ResolveCall.Request] = []
      for number in 0..<30 {
        let grant = try await world.addGrant("a", "m\(number)", ["notes:n1"])
        requests.append(request("a", "m\(number)", grant.json, notes("n1")))
      }
      let process = try await RewrapProcess(world, Self.both, ["rewrap"])
      try await world.holding(after: 10) {
        while try await world.openGrants(KeyChange.current) < 10 {}
        process.signal(SIGKILL)
        #expect(try await process.end().code == 128 + SIGKILL)
      }
      let moved = "SELECT g::text FROM mana_ai.grants AS g WHERE key_id = '\(KeyChange.current)' ORDER BY 1"
      let first = try await world.texts(moved)
      #expect(first.count == 10)
      // Both keys open what there is now: nothing is half moved.
      let between = try await world.resolver(try KeyChange.keys()).answers(requests)
      #expect(between.allSatisfy { $0.grant == "ok" && $0.inputs == ["n1: T | C"] })
      let rest = try await RewrapProcess(world, Self.both, ["rewrap", "--json"]).end()
      let json = try JSONValue(parsing: rest.output)
      #expect(rest.code == 0 && json["moved"]?.number?.integer == 20)
      let second = try await world.texts(moved)
      #expect(second.count == 30 && Set(first).isSubset(of: second))
      let after = try await world.resolver(Pair.other.keys).answers(requests)
      #expect(after.allSatisfy { $0.grant == "ok" && $0.inputs == ["n1: T | C"] })
    }
  }

  @Test("SIGTERM and SIGINT end it after what is in hand, and it says how far it is", arguments: [SIGTERM, SIGINT])
  func asked(signal: Int32) async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      for number in 0..<60 { _ = try await world.addGrant("a", "m\(number)", ["notes:n1"]) }
      let process = try await RewrapProcess(
        world, Self.both, ["rewrap", "--json"], ["MANDATE_DATABASE_CONNECTIONS": "3"])
      try await world.holding(after: 10) {
        while try await world.openGrants(KeyChange.current) < 10 {}
        process.signal(SIGHUP)
        process.signal(signal)
        try await process.line("Asked to stop; ending after what is in hand.")
      }
      let ended = try await process.end()
      let json = try JSONValue(parsing: ended.output)
      let moved = try #require(json["moved"]?.number?.integer)
      #expect(ended.code == 1 && json["stopped"] == .bool(true) && json["done"] == .bool(false))
      #expect(moved > 10 && moved <= 13, "ten, and the three in hand")
      #expect(json["left"]?.number?.integer == 60 - moved)
      #expect(try await world.openGrants(KeyChange.current) == moved)
    }
  }

  @Test("It runs beside a resolver that serves, and no batch notices")
  func besideTheService() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      var requests: [ResolveCall.Request] = []
      for number in 0..<20 {
        let grant = try await world.addGrant("a", "m\(number)", ["notes:n1"])
        requests.append(request("a", "m\(number)", grant.json, notes("n1")))
      }
      let service = try await ResolverProcess(world.database, pems: Self.both)
      let (caller, batch) = (try Caller(try await service.address()), requests)
      let isOver = Count()
      let answered = try await withThrowingTaskGroup(of: Int.self, returning: Int.self) { group in
        group.addTask {
          var answered = 0
          repeat {
            let answers = try await caller.answers(batch)
            #expect(answers.allSatisfy { $0.grant == "ok" && $0.inputs == ["n1: T | C"] })
            answered += answers.count
          } while !isOver.isOn
          return answered
        }
        let ended = try await RewrapProcess(world, Self.both, ["rewrap"]).end()
        #expect(ended.code == 0)
        isOver.up()
        return try await group.reduce(0, +)
      }
      #expect(answered >= 20)
      #expect(try await world.openGrants(KeyChange.former) == 0)
      service.signal(SIGTERM)
      #expect(try await service.end() == 0)
    }
  }

  @Test("What it cannot move it names, moves the rest, and ends with 1")
  func tampered() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      _ = try await world.addGrant("a", "good", ["notes:n1"])
      let edited = try await world.addGrant("a", "edited", ["notes:n1"], edited: true)
      let ended = try await RewrapProcess(world, Self.both, ["rewrap"]).end()
      #expect(ended.code == 1)
      #expect(ended.output.contains("grant \(edited.id) of key \(KeyChange.former): wrap-rejected"))
      #expect(ended.output.contains("Moved 1 grants to \(KeyChange.current); 1 cannot be moved."))
    }
  }

  @Test("A key that is none, no key at all, or a database that is away: one sentence and a 1; a wrong word: a 2")
  func refused() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      _ = try await world.addGrant("a", "m", ["notes:n1"])
      let rows = try await world.grants()
      let unknown = String(repeating: "a", count: 32)
      let current = ["2026-02-01.resolver.pem": Pair.other.pem]
      let away = "postgresql://mandate_resolver@localhost:1/none?connect_timeout=1"
      let cases: [(pems: [String: [UInt8]], arguments: [String], url: String?, code: Int32, words: String)] = [
        (Self.both, ["--from", unknown], nil, 1, "is no key of this resolver"),
        (Self.both, ["--from", KeyChange.current], nil, 1, "is the current key"),
        (current, ["--from", KeyChange.former], nil, 1, "is not among the keys of this resolver"),
        ([:], [], nil, 1, "there is no private key"),
        (Self.both, [], away, 1, "the database cannot be asked"),
        (["2026-01-01.bad.pem": Array("no key".utf8)], [], nil, 1, "2026-01-01.bad.pem"),
        (Self.both, ["--from", "KEY"], nil, 2, "it must be a key id"),
        (Self.both, ["--from"], nil, 2, "--from needs a value"),
        (Self.both, ["--dryrun"], nil, 2, "Did you mean --dry-run?"),
        (Self.both, ["--dry-run=yes"], nil, 2, "takes no value"),
        (Self.both, ["all"], nil, 2, "is nothing that rewrap takes"),
      ]
      for (pems, arguments, url, code, words) in cases {
        for json in [[], ["--json"]] {
          let ended = try await RewrapProcess(world, pems, ["rewrap"] + arguments + json, url: url).end()
          #expect(ended.code == code, "\(arguments)")
          let said = ended.output + ended.errors
          if json.isEmpty || ended.output.isEmpty { #expect(said.contains(words), "\(arguments): \(said)") }
          if !json.isEmpty, ended.output.isEmpty {
            #expect(try JSONValue(parsing: ended.errors)["error"]?.text?.contains(words) == true)
          }
        }
      }
      let wrongSetting = try await RewrapProcess(world, Self.both, ["rewrap"], ["MANDATE_ACCEPT_V1": "perhaps"]).end()
      #expect(wrongSetting.code == 2 && wrongSetting.errors.contains("MANDATE_ACCEPT_V1"))
      #expect(try await world.grants() == rows)
    }
  }

  @Test("Its help says what it takes, and the service's help names it")
  func help() async throws {
    try await World.with(durable: true) { world in
      let own = try await RewrapProcess(world, [:], ["rewrap", "--help"]).end()
      #expect(own.code == 0 && own.errors.isEmpty)
      for word in ["--dry-run", "--from KEYID", "--json", "Exit codes"] { #expect(own.output.contains(word)) }
      let service = try await RewrapProcess(world, [:], ["--help"]).end()
      #expect(service.code == 0 && service.output.contains("rewrap"))
      #expect(own.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }
  }
}

extension World {
  /// Runs `body` while every open grant behind the first `count` is locked, so that nobody moves more than those.
  func holding(after count: Int, _ body: @Sendable () async throws -> Void) async throws {
    let lock = Statement(
      """
      SELECT g.grant_id FROM mana_ai.grants AS g WHERE g.grant_id IN (
        SELECT o.grant_id FROM mana_ai.grants AS o ORDER BY o.grant_id COLLATE "C" OFFSET \(count)) FOR UPDATE
      """, reuse: .once)
    try await admin.withTransaction(deadline: .after(.seconds(120))) { transaction throws(any Error) in
      let held = try await transaction.query(lock.bind())
      try #require(held.count > 0)
      try await body()
    }
  }
}

final class RewrapProcess: Sendable {
  struct Ending {
    let code: Int32
    let output: String
    let errors: String
  }

  private let process: Mutex<Process>
  private let output = Mutex("")
  private let errors = Mutex("")
  private let lines: AsyncStream<String>
  private let outputEnd: AsyncStream<Void>
  private let ended: AsyncStream<Int32>
  let folder: URL

  init(
    _ world: World, _ pems: [String: [UInt8]], _ arguments: [String], _ environment: [String: String] = [:],
    url: String? = nil
  ) async throws {
    let login = try await TemporaryCluster.durable().url(
      database: world.database.name, user: StoreRole.resolver.rawValue)
    folder = FileManager.default.temporaryDirectory.appending(path: "mandate-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    for (name, pem) in pems {
      let path = folder.appending(path: name).path
      guard FileManager.default.createFile(atPath: path, contents: Data(pem), attributes: [.posixPermissions: 0o600])
      else { throw CocoaError(.fileWriteUnknown) }
    }
    let process = Process()
    process.executableURL = Bundle.main.bundleURL.appending(path: "mandate-resolver")
    process.arguments = arguments
    process.environment = [
      "MANDATE_INTERNAL_LISTEN": "127.0.0.1:0", "MANDATE_DATABASE_URL": url ?? login,
      "MANDATE_RESOLVER_KEYS": folder.path,
    ].merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    let (out, err) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (out, err)
    let (ended, end) = AsyncStream.makeStream(of: Int32.self)
    process.terminationHandler = { process in
      end.yield(process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus)
      end.finish()
    }
    let (lines, line) = AsyncStream.makeStream(of: String.self)
    let (outputEnd, endOfOutput) = AsyncStream.makeStream(of: Void.self)
    (self.ended, self.lines, self.outputEnd) = (ended, lines, outputEnd)
    self.process = Mutex(process)
    try self.process.withLock { try $0.run() }
    let (reading, failing) = (out.fileHandleForReading, err.fileHandleForReading)
    Thread.detachNewThread {
      let all = String(decoding: reading.readDataToEndOfFile(), as: UTF8.self)
      self.output.withLock { $0 = all }
      endOfOutput.finish()
    }
    Thread.detachNewThread {
      var rest = Data()
      while case let data = failing.availableData, !data.isEmpty {
        self.errors.withLock { $0 += String(decoding: data, as: UTF8.self) }
        rest += data
        while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
          line.yield(String(decoding: rest[..<newline], as: UTF8.self))
          rest = Data(rest[(newline + 1)...])
        }
      }
      line.finish()
    }
  }

  deinit {
    process.withLock { if $0.isRunning { kill($0.processIdentifier, SIGKILL) } }
    do { try FileManager.default.removeItem(at: folder) } catch { print("left behind: \(folder.path): \(error)") }
  }

  var pid: Int32 { process.withLock { $0.processIdentifier } }

  func signal(_ number: Int32) { process.withLock { _ = kill($0.processIdentifier, number) } }

  func line(_ wanted: String) async throws {
    for await line in lines where line == wanted { return }
    throw ResolverProcess.Silence(event: wanted, said: [errors.withLock { $0 }])
  }

  func end() async throws -> Ending {
    for await _ in lines {}
    for await _ in outputEnd {}
    for await code in ended {
      return Ending(code: code, output: output.withLock { $0 }, errors: errors.withLock { $0 })
    }
    throw ResolverProcess.Silence(event: "the end", said: [errors.withLock { $0 }])
  }
}
