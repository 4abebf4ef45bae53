// The rules about sources: a fixture that breaks each, then the house itself.

import Testing

@Suite("The sources")
struct SourceTests {
  private func file(_ path: String, _ text: String) -> [SourceFile] { [SourceFile(path: path, text: text)] }

  private let manifest = Manifest(targets: [
    Manifest.Target(name: "Contracts", kind: "regular"),
    Manifest.Target(name: "COpenSSL", kind: "system"),
    Manifest.Target(name: "Cryptography", kind: "regular", dependencies: ["COpenSSL"]),
    Manifest.Target(name: "Grants", kind: "regular", dependencies: ["Cryptography"]),
    Manifest.Target(name: "mandate-dev", kind: "executable", dependencies: ["Grants"]),
    Manifest.Target(name: "GrantsTests", kind: "test", dependencies: ["Grants", "mandate-dev"]),
  ])

  // MARK: Words

  @Test("Comments and literals are no code, and what is interpolated is")
  func words() {
    let source = ##"""
      // getenv in a comment, "with a quote
      let a = "getenv \(b("x)", getenv2)) \" getenv" /* try! /* nested */ as! */ + c
      let d = #"raw " \(not) \#(yes)"# ; let e = /* */ """
        long "quoted" getenv
        """
      let f = #/a"b\/#/# ; @unchecked g; try !h
      """##
    let file = SourceFile(path: "Sources/X/X.swift", text: source)
    #expect(file.unreadable == nil)
    let code = file.words.map(\.text).joined(separator: " ")
    #expect(
      code == "let a = ( b ( , getenv2 ) ) + c let d = ( yes ) ; let e = let f = ; @unchecked g ; try ! h")
    #expect(file.words.last?.line == 6)
  }

  @Test(
    "A file whose words cannot be told apart is caught",
    arguments: ["let a = \"open\nlet b = 1", "/* open", "let a = \"\"\"\nopen", "let a = #/open", "let a = /\"/\n"])
  func unreadable(text: String) {
    expectCaught(SourceRules.filesAreReadable(file("Sources/X/X.swift", text)), naming: "X.swift")
  }

  // MARK: Imports

  @Test(
    "A door that someone else opens is caught, however the import is spelled",
    arguments: [
      "import COpenSSL", "package import COpenSSL", "@preconcurrency import COpenSSL", "import struct COpenSSL.EVP_MD",
      "#if os(Linux)\nimport COpenSSL\n#endif", "import\n  COpenSSL", "import COpenSSL.evp",
      "let a = 1; import COpenSSL",
    ])
  func doors(text: String) {
    expectCaught(ImportRules.doorsAreShut(file("Sources/Grants/A.swift", text)), naming: "COpenSSL", "Cryptography")
    expectCaught(ImportRules.doorsAreShut(file("Tests/GrantsTests/A.swift", text)), naming: "COpenSSL")
    expectPassed(ImportRules.doorsAreShut(file("Sources/Cryptography/A.swift", text)))
    expectPassed(ImportRules.doorsAreShut(file("Tests/CryptographyTests/A.swift", text)))
  }

  @Test("Every door of the plan is shut to a room that is not named")
  func everyDoor() {
    for door in Plan.doors {
      expectCaught(
        ImportRules.doorsAreShut(file("Sources/Grants/A.swift", "import \(door.module)")), naming: door.module)
      for room in door.rooms {
        expectPassed(ImportRules.doorsAreShut(file("Sources/\(room)/A.swift", "import \(door.module)")))
      }
    }
  }

  @Test("An import that Package.swift does not declare is caught")
  func undeclared() {
    func check(_ path: String, _ text: String) -> Verdict { ImportRules.importsAreDeclared(file(path, text), manifest) }
    expectCaught(check("Sources/Grants/A.swift", "import Contracts"), naming: "Contracts", "without depending")
    expectCaught(check("Sources/mandate-dev/A.swift", "import Cryptography"), naming: "Cryptography")
    expectCaught(check("Sources/Stray/A.swift", "import Glibc"), naming: "no target")
    expectPassed(check("Sources/Grants/A.swift", "import Cryptography\nimport Glibc"))
    expectPassed(check("Tests/GrantsTests/A.swift", "@testable import Grants\n@testable import mandate_dev"))
  }

  @Test("Foundation where less must do, and a module nobody decided on, are caught")
  func libraries() {
    func check(_ room: String, _ module: String) -> Verdict {
      ImportRules.librariesAreChosen(file("Sources/\(room)/A.swift", "import \(module)"), manifest)
    }
    expectCaught(check("Operator", "Foundation"), naming: "Foundation", "must do")
    for room in Plan.noFoundationRooms { expectCaught(check(room, "FoundationEssentials"), naming: room) }
    expectCaught(check("Store", "FoundationNetworking"), naming: "does not know")
    expectCaught(check("Grants", "Testing"), naming: "Testing")
    expectPassed(check("MissionRunner", "Foundation"))
    expectPassed(check("Grants", "FoundationEssentials"))
    expectPassed(check("Contracts", "Synchronization"))
    expectCaught(ImportRules.testsAreSwiftTesting(file("Tests/A/A.swift", "import XCTest")), naming: "XCTest")
  }

  // MARK: What stands in the code

  @Test(
    "A pointer outside the doors is caught, under each of its names",
    arguments: [
      "let a = unsafe b", "let a: UnsafeRawPointer", "nonisolated(unsafe) var a = 1", "a.withUnsafeBytes { }",
      "@unsafe func a() {}", "let a: OpaquePointer", "Unmanaged.passRetained(a)", "@_silgen_name(\"EVP_x\") func a()",
      "let a = dlsym(b, \"c\")", "unsafeBitCast(a, to: B.self)",
    ])
  func pointers(text: String) {
    expectCaught(SourceRules.pointersStayBehindDoors(file("Sources/Grants/A.swift", text)), naming: "A.swift:1")
    #expect(SourceRules.pointersStayBehindDoors(file("Sources/Secrets/A.swift", text)).problems == [])
  }

  @Test(
    "A second reader of the environment is caught",
    arguments: ["getenv(\"A\")", "let a = environ", "ProcessInfo.processInfo.environment", "let p = ProcessInfo()"])
  func environment(text: String) {
    expectCaught(SourceRules.environmentHasOneReader(file("Sources/Operator/A.swift", text)), naming: "ServiceRuntime")
    #expect(SourceRules.environmentHasOneReader(file("Sources/ServiceRuntime/A.swift", text)).problems == [])
  }

  @Test("A forced try, a forced cast and an unchecked promise are caught, and their gentle relatives are not")
  func forced() {
    func check(_ text: String, in room: String = "Grants") -> Verdict {
      SourceRules.nothingIsForced(file("Sources/\(room)/A.swift", text))
    }
    expectCaught(check("let a = try! b()"), naming: "try!")
    expectCaught(check("\nlet a = b as! C", in: "Secrets"), naming: "A.swift:2", "as!")
    expectCaught(check("final class A: @unchecked Sendable {}"), naming: "@unchecked")
    expectPassed(check("let a = try !b(); let c = d as? E; let f = \"try! as!\" // try!"))
    expectPassed(check("final class A: @unchecked Sendable {}", in: "Postgres"))
  }

  @Test(
    "A task that nobody awaits is caught",
    arguments: ["Task { a() }", "let t = Task(priority: .low) { }", "Task.detached { }", "_ = Task\n{ }"])
  func tasks(text: String) {
    expectCaught(SourceRules.tasksAreStructured(file("Sources/Store/A.swift", text)), naming: "Task")
    expectCaught(SourceRules.tasksAreStructured(file("Sources/MissionRunner/Routes.swift", text)), naming: "Task")
    expectPassed(SourceRules.tasksAreStructured(file("Sources/MissionRunner/MissionRunner.swift", text)))
    expectPassed(SourceRules.tasksAreStructured(file("Sources/mandate-runner/Entry.swift", text)))
  }

  @Test("Asking a task, or naming its type, starts none")
  func taskWords() {
    let text = "try Task.checkCancellation(); let a: Task<Int, Never>; await Task.yield(); b.Task { }"
    expectPassed(SourceRules.tasksAreStructured(file("Sources/Store/A.swift", text)))
  }

  @Test("A public declaration is caught")
  func isPublic() {
    expectCaught(SourceRules.nothingIsPublic(file("Sources/Grants/A.swift", "public struct A {}")), naming: "public")
    expectCaught(SourceRules.nothingIsPublic(file("Sources/Grants/A.swift", "public import B")), naming: "public")
    expectPassed(SourceRules.nothingIsPublic(file("Sources/Grants/A.swift", "package struct A {} // public")))
  }

  @Test("A file that is too long, and an entry that is more than an entry, are caught")
  func length() {
    func lines(_ count: Int) -> String { String(repeating: "// Line.\n", count: count) }
    let (file, entry) = ("Sources/Grants/A.swift", "Sources/mandate/Entry.swift")
    expectCaught(SourceRules.filesAreShort(self.file(file, lines(Plan.longestFile + 1))), naming: "401")
    expectCaught(SourceRules.filesAreShort(self.file(entry, lines(Plan.longestEntry + 1))), naming: "Entry.swift")
    expectPassed(SourceRules.filesAreShort(self.file(file, lines(Plan.longestFile))))
    expectPassed(SourceRules.filesAreShort(self.file(entry, lines(Plan.longestEntry))))
  }

  @Test("A file that does not say what it is for is caught")
  func silence() {
    let check = SourceRules.filesSayWhatTheyAreFor
    expectCaught(check(file("Sources/Grants/A.swift", "import Contracts\n// Late.")), naming: "A.swift")
    expectPassed(check(file("Sources/Grants/A.swift", "// Early.\nimport Contracts")))
  }

  @Test("A second maker of receipts is caught, and an initialiser that others could call")
  func receipts() {
    let check = SourceRules.receiptsHaveOneMaker
    func maker(_ access: String, _ makings: String = "AuditReceipt(id)") -> [SourceFile] {
      file(
        Plan.receiptMaker, "struct AuditReceipt: ~Copyable { \(access) init(_ id: Int) {} }; func next() { \(makings) }"
      )
    }
    expectPassed(check(maker("fileprivate")))
    expectCaught(check(maker("package")), naming: Plan.receiptMaker)
    expectCaught(check(maker("fileprivate", "AuditReceipt(1); AuditReceipt(2)")), naming: Plan.receiptMaker)
    expectCaught(check(file("Sources/Store/A.swift", "let a = AuditReceipt(1)")), naming: "A.swift:1")
    expectPassed(check(file("Sources/InputResolver/A.swift", "func open(_ receipt: consuming AuditReceipt) {}")))
  }

  @Test("A check of the client's that is switched off, left out or set twice is caught")
  func clientOptions() {
    let good = Plan.pinnedOptions.map { "set(\($0.key), \($0.value))" }.sorted().joined(separator: "\n")
    func check(_ text: String) -> Verdict {
      SourceRules.clientOptionsArePinned(file("Sources/HTTPFetching/A.swift", text))
    }
    expectPassed(check(good))
    for (option, value) in Plan.pinnedOptions {
      let line = "set(\(option), \(value))"
      expectCaught(check(good.replacing(line, with: "set(\(option), 3)")), naming: option)
      expectCaught(check(good.replacing(line, with: "set(\(option), \(value) - x)")), naming: option)
      expectCaught(check(good.replacing(line, with: "// \(line)")), naming: option, "0 times")
      expectCaught(check(good + "\nset(\(option), 0)"), naming: option, "2 times")
    }
  }

  @Test("The sources keep every rule")
  func house() throws {
    let manifest = try House.manifest()
    let files = try House.sources()
    expectKept("files can be read", SourceRules.filesAreReadable(files))
    expectKept("doors are shut", ImportRules.doorsAreShut(files))
    let packaged = files.filter { $0.area == "Sources" || $0.area == "Tests" }
    expectKept("imports are declared", ImportRules.importsAreDeclared(packaged, manifest))
    expectKept("libraries are chosen", ImportRules.librariesAreChosen(files, manifest))
    expectKept("tests are Swift Testing", ImportRules.testsAreSwiftTesting(files.filter { $0.area == "Tests" }))
    expectKept("pointers stay behind doors", SourceRules.pointersStayBehindDoors(files))
    expectKept("the environment has one reader", SourceRules.environmentHasOneReader(files))
    expectKept("nothing is forced", SourceRules.nothingIsForced(files))
    expectKept("tasks are structured", SourceRules.tasksAreStructured(files))
    expectKept("nothing is public", SourceRules.nothingIsPublic(files))
    expectKept("receipts have one maker", SourceRules.receiptsHaveOneMaker(packaged))
    expectKept("the client's options are pinned", SourceRules.clientOptionsArePinned(packaged))
    expectKept("files are short", SourceRules.filesAreShort(files))
    expectKept("files say what they are for", SourceRules.filesSayWhatTheyAreFor(packaged))
  }
}
