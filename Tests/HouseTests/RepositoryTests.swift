// The rules about the repository: a fixture that breaks each, then the repository itself.

import Foundation
import Testing

@Suite("The repository")
struct RepositoryTests {
  private func file(_ path: String, _ text: String) -> [RepositoryFile] { [RepositoryFile(path: path, text: text)] }

  // MARK: Keys

  private let body = String(repeating: "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", count: 2)

  @Test(
    "A committed private key is caught, of each type and however its lines are broken",
    arguments: ["", "RSA ", "EC ", "ENCRYPTED "], ["\n", "\r\n", "\\n", "\nProc-Type: 4,ENCRYPTED\n\n"])
  func keys(type: String, lineBreak: String) {
    let key = "-----BEGIN \(type)PRIVATE KEY-----\(lineBreak)\(body)\n-----END \(type)PRIVATE KEY-----\n"
    let check = RepositoryRules.noPrivateKeyIsCommitted
    expectCaught(check(file("keys/2031.pem", key)), naming: "keys/2031.pem")
    expectCaught(check(file("docs/formats.md", "    " + key)), naming: "docs/formats.md")
    expectPassed(check(file("Vectors/grant-v2.json", key)))
    expectPassed(check(file("Tests/CryptographyTests/Keys.swift", key)))
  }

  @Test("A public key, and words about private ones, may be committed")
  func words() {
    let text = """
      Begins with `-----BEGIN PRIVATE KEY-----`; run openssl and look for -----BEGIN RSA PRIVATE KEY-----.
      -----BEGIN PUBLIC KEY-----
      \(body)
      -----END PUBLIC KEY-----
      """
    expectPassed(RepositoryRules.noPrivateKeyIsCommitted(file("docs/keys.md", text)))
  }

  // MARK: Tidiness

  @Test(
    "What a run left behind is caught",
    arguments: [
      "keys/private/resolver.pem", ".mandate/run/resolver.sock", ".build/debug/mandate", "Benchmarks/.build/x",
      ".swiftpm/config", ".build/docs/x.doccarchive/index.html",
    ])
  func leftovers(path: String) {
    expectCaught(RepositoryRules.nothingLeftBehindIsCommitted([path]), naming: path)
    expectPassed(RepositoryRules.nothingLeftBehindIsCommitted(["keys/resolver.pem", "Sources/Grants/Seal.swift"]))
  }

  @Test("A stray entry at the top is caught")
  func top() {
    expectCaught(RepositoryRules.theTopIsTidy(["notes.txt", "docs/formats.md"]), naming: "notes.txt")
    expectCaught(RepositoryRules.theTopIsTidy(["misc/a.md"]), naming: "misc")
    expectPassed(RepositoryRules.theTopIsTidy(["Makefile", "Sources/Grants/Seal.swift"]))
  }

  // MARK: Words

  @Test("A mark of unfinished work is caught")
  func marks() {
    let check = RepositoryRules.nothingIsMarkedUnfinished
    for mark in ["TO" + "DO", "FIX" + "ME", "X" + "XX"] {
      expectCaught(check(file("Sources/A/A.swift", "// \(mark): later.")), naming: mark)
      expectCaught(check(file("Makefile", "#\(mark)(me)")), naming: mark)
      expectPassed(check(file("docs/a.md", "A\(mark)B and \(mark.lowercased()) and MA\(mark)")))
    }
  }

  @Test("A path of somebody's machine is caught")
  func machines() {
    let check = RepositoryRules.noMachineIsNamed
    for place in ["/" + "home/", "/" + "Users/", "/" + "root/"] {
      expectCaught(check(file("docs/a.md", "see \(place)ada/mandate")), naming: place)
      expectCaught(check(file("Scripts/a.sh", "cd \"\(place)x\"")), naming: place)
      expectPassed(check(file("docs/a.md", "docs\(place)page and ~\(place)page and $HOME\(place)page")))
    }
  }

  // MARK: Entrances

  @Test("A README without its two commands, and a CI that runs something else, are caught")
  func entrances() {
    func check(_ readme: String, _ run: String) -> Verdict {
      RepositoryRules.theEntrancesArePromised(file("README.md", readme) + file(".ci/run", run))
    }
    expectPassed(check("`make demo`, `make test`", "exec make test"))
    expectCaught(check("`make test`", "exec make test"), naming: "README.md", "make demo")
    expectCaught(check("`make demo`, `make test`", "swift test"), naming: ".ci/run")
    #expect(RepositoryRules.theEntrancesArePromised([]).problems.count == 3)
  }

  @Test("A make help that leaves a target out, adds one or turns them round is caught")
  func help() {
    func check(_ targets: [String]) -> Verdict {
      let list = targets.map { "  \($0)   words" }.joined(separator: "\n")
      return RepositoryRules.makeListsItsTargets("make <target>\n\n\(list)\n\nand more\n\n  soak   words\n")
    }
    expectPassed(check(Plan.makeTargets))
    expectCaught(check(Plan.makeTargets.dropLast()), naming: "make help")
    expectCaught(check(Plan.makeTargets + ["soak"]), naming: "soak")
    expectCaught(check(Plan.makeTargets.reversed()), naming: "make help")
    #expect(RepositoryRules.makeListsItsTargets("").lookedAt == 0)
  }

  // MARK: The real one

  @Test("The repository keeps every rule", .enabled(if: House.isRepository, "this is a source archive without git"))
  func house() throws {
    let files = try House.files()
    let paths = try House.committedPaths()
    expectKept("no private key is committed", RepositoryRules.noPrivateKeyIsCommitted(files))
    expectKept("nothing left behind is committed", RepositoryRules.nothingLeftBehindIsCommitted(paths))
    expectKept("the top is tidy", RepositoryRules.theTopIsTidy(paths))
    expectKept("nothing is marked unfinished", RepositoryRules.nothingIsMarkedUnfinished(files))
    expectKept("no machine is named", RepositoryRules.noMachineIsNamed(files))
    expectKept("the entrances are promised", RepositoryRules.theEntrancesArePromised(files))
  }

  @Test(
    "git ignores what a run leaves behind", .enabled(if: House.isRepository, "this is a source archive without git"),
    arguments: ["keys/private/resolver.pem", ".mandate/run/x", ".build/x", "Benchmarks/.build/x", "Fuzz/.build/x"])
  func ignored(path: String) throws {
    let answer = try House.git("check-ignore", path)
    #expect(String(decoding: answer, as: UTF8.self) == path + "\n")
  }

  @Test("make help and .ci/run are what they promise")
  func entrancesWork() throws {
    let help = try House.run("make", "--silent", "--directory", House.root.path, "help")
    expectKept("make lists its targets", RepositoryRules.makeListsItsTargets(String(decoding: help, as: UTF8.self)))
    #expect(FileManager.default.isExecutableFile(atPath: House.root.appending(path: ".ci/run").path))
  }
}
