// The promises of a run that hold whatever the kinds do.

import Contracts
import Synchronization
import Testing

@testable import VectorChecks

@Suite("No case gets lost")
struct VerificationTests {
  private static func kind(_ name: String = "toy", counts: Int?, gives results: [CaseResult]) -> VectorKind {
    VectorKind(name: name, recognises: { _ in true }, count: { _ in counts }, check: { _, _ in results })
  }

  private static let passed = CaseResult(id: "1", outcome: .passed)

  @Test("A check that loses or invents a case is an internal error")
  func lostCase() {
    for kind in [Self.kind(counts: 2, gives: [Self.passed]), Self.kind(counts: 0, gives: [Self.passed])] {
      let verdict = verdict(on: .text("x"), kinds: [kind])
      #expect(verdict.why?.hasPrefix("internal error: the file holds") == true)
      #expect(verdict.fails)
    }
    #expect(verdict(on: .text("x"), kinds: [Self.kind(counts: 1, gives: [Self.passed])]).tally?.passed == 1)
    #expect(verdict(on: .text("x"), kinds: [Self.kind(counts: nil, gives: [Self.passed])]).tally?.passed == 1)
  }

  @Test("A file that two kinds claim is an internal error")
  func twoKinds() {
    let kinds = [Self.kind("a", counts: 1, gives: [Self.passed]), Self.kind("b", counts: 1, gives: [Self.passed])]
    #expect(verdict(on: .text("x"), kinds: kinds).why == "internal error: more than one kind claims it: a, b")
  }

  @Test("A file without cases fails")
  func noCases() throws {
    #expect(verdict(on: .text("x"), kinds: [Self.kind(counts: 0, gives: [])]).why == "the file holds no cases")
    for name in ["seeds-enc1.json", "seeds-grant-unwrap.json", "seeds-grant-derivation-v1.json"] {
      let empty = try Fixtures.json(name).with("cases", .array([]))
      #expect(verdict(on: .json(empty)).why == "the file holds no cases")
    }
    let wycheproof = try Fixtures.json("wycheproof-hkdf.json").with("testGroups", .array([]))
    #expect(
      verdict(on: .json(wycheproof.with("numberOfTests", .number(JSONNumber(0))))).why == "the file holds no cases")
  }

  @Test("A file whose own count is wrong fails")
  func wrongCount() throws {
    let file = try Fixtures.json("wycheproof-hkdf.json")
    for count in [3, 5] {
      let verdict = verdict(on: .json(file.with("numberOfTests", .number(JSONNumber(count)))))
      #expect(verdict.why == "numberOfTests is \(count), but the groups hold 4")
    }
  }

  @Test("The exit code: failures first, then what was not understood, then whether anything ran")
  func exitCodes() {
    let passed = FileReport(path: "", verdict: .checked(kind: "toy", Tally([Self.passed])))
    let failed = FileReport(
      path: "", verdict: .checked(kind: "toy", Tally([CaseResult(id: "1", outcome: .failed("x"))])))
    let apart = FileReport(
      path: "", verdict: .checked(kind: "toy", Tally([CaseResult(id: "1", outcome: .setApart("x"))])))
    let skipped = FileReport(
      path: "", verdict: .checked(kind: "toy", Tally([CaseResult(id: "1", outcome: .skipped("x"))])))
    let broken = FileReport(path: "", verdict: .broken(kind: nil, why: "x"))
    let unknown = FileReport(path: "", verdict: .notUnderstood(what: "x", later: false))
    let cases: [([FileReport], strict: ExitCode, partial: ExitCode)] = [
      ([], .failed, .failed), ([passed], .passed, .passed), ([apart], .passed, .passed), ([skipped], .failed, .failed),
      ([passed, skipped], .passed, .passed), ([passed, failed], .failed, .failed),
      ([passed, broken], .failed, .failed),
      ([passed, unknown], .notUnderstood, .passed), ([unknown], .notUnderstood, .failed),
      ([failed, unknown], .failed, .failed), ([broken, unknown], .failed, .failed),
    ]
    for (reports, strict, partial) in cases {
      #expect(Totals(reports).exitCode(partial: false) == strict)
      #expect(Totals(reports).exitCode(partial: true) == partial)
    }
  }

  @Test("Files come back in their order, each once, however many run at a time")
  func order() async {
    let files = (0..<50).map { FoundFile(path: "/no/such/\($0)", bytes: $0 * 7 % 13) }
    let reports = await Verification().run(files)
    #expect(reports.map(\.path) == files.map(\.path))
  }

  @Test("The files of later steps and the algorithms that are not ours are called by their names")
  func knownByName() {
    func head(_ algorithm: String) -> JSONValue {
      .object(
        JSONObject(members: [
          ("algorithm", .string(algorithm)), ("schema", .string("x.json")), ("numberOfTests", .number(JSONNumber(0))),
          ("testGroups", .array([])),
        ]))
    }
    func later(_ reference: String) -> JSONValue {
      .object(
        JSONObject(members: [
          ("description", .string("d")), ("reference", .string(reference)), ("cases", .array([])),
        ]))
    }
    let files: [(JSONValue, what: String, later: Bool)] = [
      (head("AES-CCM"), "wycheproof AES-CCM", false),
      (later("packages/shared-ai/src/planner/parser.ts"), "planner-parse", true),
      (later("packages/shared-ai/src/planner/system-prompt.ts"), "planner-prompts", true),
      (later("services/mana-persona-runner/src/runner/claude-session.ts"), "persona-ratings", true),
      (later("services/mana-ai/src/db/iteration-writer.ts"), "iteration-actor", true),
      (later("somewhere/else.ts"), "unknown content", false),
    ]
    for (json, what, isLater) in files {
      guard case .notUnderstood(let found, let later) = verdict(on: .json(json)) else {
        Issue.record("\(what) was understood")
        continue
      }
      #expect(found == what)
      #expect(later == isLater)
    }
  }

  @Test("A JSON Schema of others is passed over in a folder, and not understood where somebody names it")
  func schema() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"}", to: "schema.json")
    let inFolder = await CaughtRun("verify", folder.path)
    #expect(inFolder.out.contains("passed over: \(path)"))
    #expect(inFolder.code == .failed, "nothing ran")
    #expect(await CaughtRun("verify", path).code == .notUnderstood)
  }
}

@Suite("The progress line")
struct ProgressLineTests {
  @Test("It counts, and tells rate and time left from the share of bytes that is done")
  func line() {
    #expect(
      ProgressLine.line(cases: 500, share: 0.25, after: .seconds(2)) == "500 cases, 250 per second, about 6 s left")
    #expect(ProgressLine.line(cases: 5, share: 0, after: .seconds(2)) == "5 cases, 3 per second")
  }

  @Test("It is shown at most every tenth of a second, counts files together, and leaves a clean line")
  func pauses() {
    let shown = Caught()
    let now = Mutex(Duration.zero)
    let progress = ProgressLine(totalBytes: 100, elapsed: { now.withLock { $0 } }, show: { shown.add($0) })
    let (one, other) = (FoundFile(path: "1", bytes: 50), FoundFile(path: "2", bytes: 50))
    progress.didCheck(1, of: 10, in: one)
    #expect(shown.text.isEmpty)
    now.withLock { $0 = .seconds(1) }
    progress.didCheck(5, of: 10, in: one)
    progress.didCheck(6, of: 10, in: one)
    #expect(shown.text == "\r\u{1B}[K5 cases, 5 per second, about 3 s left")
    progress.didFinish(one)
    now.withLock { $0 = .seconds(2) }
    progress.didCheck(4, of: 8, in: other)
    #expect(shown.text.hasSuffix("\r\u{1B}[K10 cases, 5 per second, about 1 s left"))
    progress.finish()
    #expect(shown.text.hasSuffix("\r\u{1B}[K"))
  }
}
