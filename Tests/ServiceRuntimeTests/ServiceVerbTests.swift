// What a service's executable does beside serving, as words on a command line; and what is said while it works.

import Synchronization
import Testing

@testable import ServiceRuntime

@Suite struct ServiceVerbTests {
  private static let key = ServiceVerbUsage.Option.list("from", "KEYID", reason: "A key.") {
    $0.count == 3 ? nil : "three letters"
  }
  private static let dry = ServiceVerbUsage.Option.flag("dry-run", reason: "Change nothing.")
  private static let verb = ServiceVerbUsage(
    name: "move", summary: "Moves things.", details: ["It moves things from here to there, one by one."],
    options: [key, dry], examples: ["mandate-test move --dry-run"])
  private let line = ServiceCommandLine(
    program: "mandate-test", purpose: "Does nothing.", settings: [Log.levelSetting.documentation], verbs: [verb])

  private func call(_ arguments: String...) -> ServiceVerbCall? {
    guard case .perform(let call) = line.parse(["move"] + arguments) else { return nil }
    return call
  }

  @Test("A verb takes its own options, in any order, lists as often as wanted, and JSON if asked for")
  func options() throws {
    let plain = try #require(call())
    #expect(plain.verb == "move" && !plain.wantsJSON && !plain.has(Self.dry) && plain.values(Self.key).isEmpty)
    let full = try #require(call("--from", "abc", "--json", "--from=def", "--dry-run"))
    #expect(full.wantsJSON && full.has(Self.dry) && full.values(Self.key) == ["abc", "def"])
    #expect(line.wantsJSON(["move", "--json"]) && !line.wantsJSON(["move"]) && !line.wantsJSON(["--json"]))
  }

  @Test(
    "What a verb does not take is refused with its usage",
    arguments: [
      (["x"], "`x` is nothing that move takes"), (["--dryrun"], "Did you mean --dry-run?"),
      (["--from"], "--from needs a value: KEYID"), (["--from", "--json"], "--from needs a value"),
      (["--from="], "needs"),
      (["--from", "ab"], "it must be three letters"), (["--dry-run=1"], "--dry-run takes no value"),
      (["--check-config"], "is nothing that move takes"), (Array(repeating: "--dry-run", count: 101), "more than 100"),
    ])
  func misuse(arguments: [String], words: String) {
    guard case .refuse(let sentence) = line.parse(["move"] + arguments) else {
      Issue.record("\(arguments) was taken")
      return
    }
    #expect(
      sentence.contains(words) && sentence.contains("Usage: mandate-test move [--from KEYID]... [--dry-run] [--json]"))
  }

  @Test("The program's help lists its verbs, and each has help of its own")
  func help() {
    guard case .show(let all) = line.parse(["--help"]), case .show(let own) = line.parse(["move", "--json", "--help"])
    else {
      Issue.record("no help")
      return
    }
    #expect(all.contains("move") && all.contains("Moves things.") && all.contains("mandate-test move --help"))
    for word in ["Moves things.", "--from KEYID", "--dry-run", "--json", "Exit codes", "mandate-test move --dry-run"] {
      #expect(own.contains(word))
    }
    #expect((all + own).split(separator: "\n").allSatisfy { $0.count <= 100 })
  }

  @Test("A slip in a verb's name is pointed out, and a service without verbs knows none")
  func slips() {
    guard case .refuse(let sentence) = line.parse(["moev"]) else {
      Issue.record("it was taken")
      return
    }
    #expect(sentence.contains("Did you mean move?"))
    let plain = ServiceCommandLine(program: "mandate-test", purpose: "Does nothing.", settings: [])
    guard case .refuse = plain.parse(["move"]) else {
      Issue.record("it was taken")
      return
    }
  }
}

@Suite struct ProgressTests {
  @Test(
    "How far, how fast, how long",
    arguments: [
      (0, 10, 0, "x: 0 of 10 (0 %)"), (5, 10, 1_000, "x: 5 of 10 (50 %), 300 per minute, 1 s left"),
      (1_000, 4_000, 2_000, "x: 1000 of 4000 (25 %), 500 per second, 6 s left"),
      (10, 10, 1_000, "x: 10 of 10 (100 %), 10 per second"), (12, 10, 1_000, "x: 12 of 12 (100 %), 12 per second"),
      (1, 100_001, 1_000, "x: 1 of 100001 (0 %), 60 per minute, 27 h 46 min left"), (0, 0, 5, "x: 0 of 0"),
    ])
  func line(done: Int, total: Int, milliseconds: Int, expected: String) {
    #expect(ProgressMeter.line("x", done: done, of: total, after: .milliseconds(milliseconds)) == expected)
  }

  private final class Screen: Sendable {
    let text = Mutex("")
    let now = Mutex(ContinuousClock.now)

    func meter(total: Int, isTerminal: Bool) -> ProgressMeter {
      ProgressMeter(
        "x", total: total, isTerminal: isTerminal, clock: { self.now.withLock { $0 } },
        write: { words in self.text.withLock { $0 += words } })
    }
  }

  @Test("On a terminal one line is drawn over and over, and not more often than somebody can read")
  func terminal() {
    let screen = Screen()
    let meter = screen.meter(total: 30, isTerminal: true)
    for _ in 0..<30 {
      meter.advance()
      screen.now.withLock { $0 += .milliseconds(20) }
    }
    meter.finish()
    let text = screen.text.withLock { $0 }
    let drawn = text.split(separator: "\r")
    #expect(drawn.count == 4)
    #expect(drawn.allSatisfy { $0.contains("\u{1B}[K") })
    #expect(text.filter { $0 == "\n" }.count == 1 && text.hasSuffix("per second\u{1B}[K\n"))
  }

  @Test("Elsewhere there is a line per thousand, and one at the end")
  func elsewhere() {
    let screen = Screen()
    let meter = screen.meter(total: 2_500, isTerminal: false)
    for _ in 0..<2_500 { meter.advance() }
    meter.finish()
    let lines = screen.text.withLock { $0 }.split(separator: "\n")
    #expect(lines == ["x: 1000 of 2500 (40 %)", "x: 2000 of 2500 (80 %)", "x: 2500 of 2500 (100 %)"])
  }
}
