// The command from the outside: what it prints, and what it tells the shell.

import Contracts
import ServiceRuntime
import Testing

@testable import VectorChecks

@Suite("The command says what it did and ends with the right code")
struct CommandTests {
  @Test("Without a verb, with an unknown one or with a wrong argument it is wrong usage, and standard output is empty")
  func wrongUsage() async {
    for run in [
      await CaughtRun(), await CaughtRun("verfy"), await CaughtRun("verify"), await CaughtRun("verify", "--fast", "x"),
      await CaughtRun("verify", "--partial"), await CaughtRun("verify", ""), await CaughtRun("verify", "-x"),
    ] {
      #expect(run.code == .wrongUsage)
      #expect(run.out.isEmpty)
      #expect(run.err.contains("mandate-vectors"))
    }
  }

  @Test("Help and version go to standard output and are no failure")
  func help() async {
    for arguments in [["--help"], ["-h"], ["verify", "--help"], ["verify", "x", "-h"]] {
      let run = await arguments.count == 1 ? CaughtRun(arguments[0]) : CaughtRun(arguments[0], arguments[1])
      #expect(run.code == (arguments == ["verify", "x", "-h"] ? .failed : .passed))
    }
    for run in [await CaughtRun("generate", "--help"), await CaughtRun("generate", "-h")] {
      #expect(run.code == .passed && run.err.isEmpty && run.out.contains("generate FOLDER"))
    }
    let overview = await CaughtRun("--help")
    #expect(overview.out.contains("verify [--partial] [--json] [--quiet] PATH…"))
    let verify = await CaughtRun("verify", "--help")
    for kind in VectorKinds.all { #expect(verify.out.contains(kind.name)) }
    let version = await CaughtRun("--version")
    #expect(version.out == "mandate-vectors \(ProductVersion.current)\n")
    #expect(version.err.isEmpty)
  }

  @Test("A folder of good files ends with 0, one row per file and one line of totals")
  func allPassed() async throws {
    let folder = try TemporaryFolder()
    try folder.write(try Fixtures.text("hkdf.txt"), to: "b/hkdf.rsp")
    try folder.write(try Fixtures.text("seeds-enc1.json"), to: "a.txt")
    try folder.write("# Notes", to: "README.md")
    let run = await CaughtRun("verify", folder.path)
    #expect(run.code == .passed)
    #expect(run.err.isEmpty, "no progress where nobody watches")
    try #require(run.lines.count == 5)
    #expect(run.lines[0].hasPrefix("kind"))
    #expect(run.lines[1].hasPrefix("enc1"), "sorted by path")
    #expect(run.lines[1].hasSuffix("2 DEV-1 lone surrogate; 1 DEV-4 reason wording; 1 engine-dependent"))
    #expect(run.lines[2].hasPrefix("rfc5869 hkdf"))
    #expect(run.lines[3] == "passed over: \(folder.path)/README.md")
    #expect(run.lines[4] == "20 passed, 0 failed, 4 set apart, 1 skipped")
  }

  @Test("A failed case is named with what differed, and no key material is shown")
  func failed() async throws {
    let folder = try TemporaryFolder()
    let key = try #require(
      try Fixtures.json("seeds-grant-derivation-v1.json")["cases"]?.array?[1]["expected"]?["mdkHex"]?.text)
    let text = try Fixtures.text("seeds-grant-derivation-v1.json")
    let path = try folder.write(text.replacing(key, with: Mutation.flipped(key)), to: "x.json")
    for run in [await CaughtRun("verify", path), await CaughtRun("verify", "--quiet", "--partial", path)] {
      #expect(run.code == .failed)
      #expect(run.lines.contains("failed: \(path) grant-derivation-v1-0002: another mission key was derived"))
      #expect(run.lines.last == "5 passed, 1 failed, 0 set apart, 0 skipped")
      #expect(!run.out.contains(key.prefix(16)))
    }
  }

  @Test("A file that nobody knows ends with 3, with --partial it is listed and does not count")
  func notUnderstood() async throws {
    let folder = try TemporaryFolder()
    try folder.write(try Fixtures.text("hkdf.txt"), to: "hkdf.txt")
    let path = try folder.write("{\"vectors\": []}", to: "unknown.json")
    let strict = await CaughtRun("verify", folder.path)
    #expect(strict.code == .notUnderstood)
    let partial = await CaughtRun("verify", "--partial", folder.path)
    #expect(partial.code == .passed)
    for run in [strict, partial] {
      #expect(run.lines.contains("not understood: unknown content: \(path)"))
      #expect(run.lines.last == "2 passed, 0 failed, 0 set apart, 1 skipped; 1 file not understood")
    }
  }

  @Test("A file that failed weighs more than one that was not understood")
  func failureFirst() async throws {
    let folder = try TemporaryFolder()
    try folder.write("who knows", to: "unknown.txt")
    try folder.write("{\"cases\": [", to: "cut.json")
    #expect(await CaughtRun("verify", folder.path).code == .failed)
  }

  @Test("Nothing that ran is a failure: an empty folder, only papers, only skipped cases, only unknown files")
  func nothingRan() async throws {
    let folder = try TemporaryFolder()
    let empty = await CaughtRun("verify", folder.path)
    #expect(empty.code == .failed)
    #expect(empty.out == "0 passed, 0 failed, 0 set apart, 0 skipped; nothing ran\n")
    try folder.write("# Notes", to: "README.md")
    #expect(await CaughtRun("verify", folder.path).code == .failed)
    let skipped = try folder.write("RSA-OAEP encryption with intermediate values\n", to: "skipped/oaep-int.txt")
    #expect(await CaughtRun("verify", skipped).code == .failed)
    let unknown = try folder.write("who knows", to: "unknown/x")
    #expect(await CaughtRun("verify", "--partial", unknown).code == .failed)
    #expect(await CaughtRun("verify", unknown).code == .notUnderstood)
  }

  @Test("A path that leads nowhere is a failure, also with --partial")
  func missing() async throws {
    let run = await CaughtRun("verify", "--partial", Fixtures.path("hkdf.txt"), "/no/such/place")
    #expect(run.code == .failed)
    #expect(run.lines.contains("failed: /no/such/place: no such file or folder"))
    #expect(run.lines.last == "2 passed, 0 failed, 0 set apart, 1 skipped; 1 file failed as a whole")
  }

  @Test("What stands behind -- is a path, and a paper that is named on the command line is a file like any other")
  func doubleDash() async throws {
    let run = await CaughtRun("verify", "--", "--partial")
    #expect(run.code == .failed)
    #expect(run.out.contains("failed: --partial: no such file or folder"))
    let folder = try TemporaryFolder()
    let named = try folder.write("# Notes", to: "README.md")
    #expect(await CaughtRun("verify", named).code == .notUnderstood)
  }

  @Test("--quiet keeps the rows back and nothing else")
  func quiet() async throws {
    let folder = try TemporaryFolder()
    try folder.write(try Fixtures.text("hkdf.txt"), to: "hkdf.txt")
    try folder.write("{}", to: "unknown.json")
    try folder.write("# Notes", to: "README.md")
    let run = await CaughtRun("verify", "--quiet", "--partial", folder.path)
    #expect(
      run.lines == [
        "not understood: unknown content: \(folder.path)/unknown.json",
        "2 passed, 0 failed, 0 set apart, 1 skipped; 1 file not understood",
      ])
  }

  @Test("--json says the same in one object")
  func json() async throws {
    let folder = try TemporaryFolder()
    try folder.write(try Fixtures.text("seeds-grant-unwrap.json"), to: "1")
    try folder.write("{}", to: "2")
    try folder.write("{\"a\":1,\"a\":2}", to: "3")
    try folder.write("# Notes", to: "notes.md")
    let text = try Fixtures.text("hkdf.txt")
    try folder.write(text.replacing("OKM  = ", with: "OKM  = 00"), to: "4")
    let run = await CaughtRun("verify", "--json", folder.path)
    let report = try JSONValue(parsing: run.out)
    #expect(run.err.isEmpty)
    #expect(run.code == .failed)
    #expect(report["tool"]?.text == "mandate-vectors")
    #expect(report["exit"]?.number?.integer == 1)
    #expect(report["passedOver"]?.texts == [folder.path + "/notes.md"])
    let files = try #require(report["files"]?.array)
    #expect(files.map { $0["status"]?.text } == ["passed", "not understood", "broken", "failed"])
    #expect(files[0]["kind"]?.text == "grant-unwrap")
    #expect(files[0]["setApart"]?["DEV-3 date spelling"]?.number?.integer == 2)
    #expect(files[2]["why"]?.text == "not JSON, though it begins like it: a member is given twice")
    #expect(files[3]["skipped"]?["HKDF with SHA-1"]?.number?.integer == 1)
    #expect(files[3]["failures"]?.array?.first?["what"]?.text == "L is not the length of OKM")
    let totals = try #require(report["totals"])
    let expected = [
      "files": 2, "cases": 24, "run": 23, "passed": 14, "failed": 2, "setApart": 7, "skipped": 1, "brokenFiles": 1,
      "notUnderstood": 1,
    ]
    for (name, count) in expected { #expect(totals[name]?.number?.integer == count, "\(name)") }
  }

  @Test("A name that a terminal would obey is shown as letters")
  func harmlessNames() async throws {
    let folder = try TemporaryFolder()
    try folder.write("who knows", to: "\u{1B}[2J\u{202E}.txt")
    let run = await CaughtRun("verify", folder.path)
    #expect(run.out.contains("/\\u{1b}[2J\\u{202e}.txt"))
    #expect(!run.out.contains("\u{1B}"))
  }

  @Test("Whoever watches sees a progress line that is wiped at the end")
  func progress() async throws {
    // Shown at most ten times a second, so a fast run may show nothing: what is shown must be wiped.
    let run = await CaughtRun("verify", Fixtures.folder, "--partial", isWatched: true)
    #expect(run.err.isEmpty || run.err.hasSuffix("\r\u{1B}[K"))
    #expect(!run.out.contains("\u{1B}"))
  }
}
