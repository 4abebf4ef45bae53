// Scripts/deps.sh on machines that this one is not: what it runs is exchanged for programs that only say what they were
// asked, so that it can be seen installing, as root and by sudo, and refusing, without anything being installed.

import Foundation
import Testing

@Suite("The script that installs packages") struct DepsScriptTests {
  /// A machine: what is installed, who runs the script, and what works there.
  private struct Machine {
    var lacks: [String] = []
    var user = 0
    var hasSudo = false
    var isDebian = true
    var aptWorks = true
    var swift = "6.3.1"
  }

  private struct Outcome {
    let code: Int32
    let errors: String
    /// What was done to the machine, in order.
    let deeds: [String]

    func place(of words: String) -> Int? { deeds.firstIndex { $0.contains(words) } }
  }

  /// Programs of which the script only reads.
  private static let harmless = ["bash", "sed", "grep", "head", "env", "cat"]

  /// Whatever would change the machine writes itself down instead.
  private static let recorders: [String: String] = [
    "id": "echo \"$FAKE_USER\"",
    "swift": "echo \"Swift version $FAKE_SWIFT (swift-RELEASE)\"",
    "sudo": """
    if [ "$FAKE_SUDO" != yes ]; then exit 1; fi
    case $1 in -n|-v) exit 0 ;; esac
    FAKE_BY=sudo exec "$@"
    """,
    "apt-get": """
    echo "$FAKE_BY apt-get $*" >>"$FAKE_DEEDS"
    case " $* " in *" install "*) [ "$FAKE_APT" = yes ] || exit 100 ;; esac
    """,
    "mkdir": "echo \"$FAKE_BY mkdir $*\" >>\"$FAKE_DEEDS\"", "ln": "echo \"$FAKE_BY ln $*\" >>\"$FAKE_DEEDS\"",
    "sh": "echo \"$FAKE_BY sh $*\" >>\"$FAKE_DEEDS\"",
    "dpkg-query": """
    for package in "$@"; do
      case $package in --*|*'${'*) continue ;; esac
      case " $FAKE_LACKS " in *" $package "*) ;; *) echo "ii  $package" ;; esac
    done
    """,
  ]

  private func run(_ machine: Machine) throws -> Outcome {
    let folder = FileManager.default.temporaryDirectory.appending(path: "deps-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer {
      do { try FileManager.default.removeItem(at: folder) } catch { print("left behind: \(folder.path): \(error)") }
    }
    for name in Self.harmless {
      let real = try #require(
        ["/usr/bin", "/bin"].map { "\($0)/\(name)" }.first(where: FileManager.default.fileExists))
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending(path: name).path, withDestinationPath: real)
    }
    for (name, script) in Self.recorders where machine.isDebian || name != "dpkg-query" {
      let path = folder.appending(path: name).path
      try Data("#!/bin/bash\n\(script)\n".utf8).write(to: URL(filePath: path))
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }
    let deeds = folder.appending(path: "deeds").path
    let process = Process()
    let errors = Pipe()
    process.executableURL = folder.appending(path: "bash")
    process.arguments = [House.root.appending(path: "Scripts/deps.sh").path]
    process.environment = [
      "PATH": folder.path, "FAKE_USER": "\(machine.user)", "FAKE_SUDO": machine.hasSudo ? "yes" : "no",
      "FAKE_APT": machine.aptWorks ? "yes" : "no", "FAKE_LACKS": machine.lacks.joined(separator: " "),
      "FAKE_DEEDS": deeds, "FAKE_SWIFT": machine.swift, "FAKE_BY": "self",
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    let said = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let done = FileManager.default.fileExists(atPath: deeds) ? try String(contentsOfFile: deeds, encoding: .utf8) : ""
    return Outcome(
      code: process.terminationStatus, errors: String(decoding: said, as: UTF8.self),
      deeds: done.split(separator: "\n").map(String.init))
  }

  private static let newOnes = ["pgbouncer", "postgresql-15", "libpq-dev", "python3"]

  @Test("Where nothing is missing it says nothing and does nothing")
  func nothing() throws {
    for user in [0, 1_000] {
      let outcome = try run(Machine(user: user))
      #expect(outcome.code == 0 && outcome.errors.isEmpty && outcome.deeds.isEmpty, "\(outcome)")
    }
  }

  @Test("What is missing is installed, by root and by sudo, and no server starts with it", arguments: [0, 1_000])
  func installs(user: Int) throws {
    let outcome = try run(Machine(lacks: Self.newOnes, user: user, hasSudo: user != 0))
    #expect(outcome.code == 0, "\(outcome.errors)")
    let install = try #require(outcome.place(of: "install"))
    for package in Self.newOnes { #expect(outcome.deeds[install].contains(" \(package)"), "\(outcome.deeds)") }
    #expect(!outcome.deeds[install].contains("libssl-dev"), "it is there")
    // A cluster on 5432 and a pooler on 6432 would start at once, so both are forbidden before.
    let cluster = try #require(outcome.place(of: "create_main_cluster = false"))
    let pooler = try #require(outcome.place(of: "ln -sfn /dev/null /etc/systemd/system/pgbouncer.service"))
    #expect(cluster < install && pooler < install)
    let by = user == 0 ? "self" : "sudo"
    #expect(outcome.deeds.allSatisfy { $0.hasPrefix("\(by) ") }, "\(outcome.deeds)")
  }

  @Test("Without root and without sudo it says what root has to run, and fails")
  func refuses() throws {
    let outcome = try run(Machine(lacks: Self.newOnes, user: 1_000))
    #expect(outcome.code == 1 && outcome.deeds.isEmpty)
    for words in ["As root, run:", "create_main_cluster", "pgbouncer.service", "apt-get", "postgresql-15"] {
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }
  }

  @Test("An installation that fails is no success, and the commands are shown")
  func broken() throws {
    let outcome = try run(Machine(lacks: ["pgbouncer"], aptWorks: false))
    #expect(outcome.code == 1 && outcome.errors.contains("As root, run:"))
  }

  @Test("What is merely useful stops nothing: it is tried by whoever may, and named where it stays away")
  func optional() throws {
    let byRoot = try run(Machine(lacks: ["python3-venv"]))
    #expect(byRoot.code == 0 && byRoot.place(of: "python3-venv") != nil)
    let other = try run(Machine(lacks: ["python3-venv"], user: 1_000))
    #expect(other.code == 0 && other.deeds.isEmpty && other.errors.contains("going on without python3-venv"))
  }

  @Test("An old Swift is refused, and what is no Debian is trusted to have everything")
  func others() throws {
    let old = try run(Machine(swift: "5.10"))
    #expect(old.code == 1 && old.errors.contains("6.2 or later"))
    let other = try run(Machine(isDebian: false))
    #expect(other.code == 0 && other.errors.contains("this is not Debian") && other.errors.contains("postgresql-15"))
  }
}
