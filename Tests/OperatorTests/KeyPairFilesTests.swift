// The two files of a pair under the worst conditions: a process that dies between any two steps, and a place that is
// taken.

import Cryptography
import FolderSupport
import Foundation
import Secrets
import ServiceRuntime
import Testing

@testable import Operator

@Suite struct KeyPairFilesTests {
  private let place: TemporaryFolder
  private var path: String { place.path("keys") }

  init() throws { place = try TemporaryFolder() }

  /// Writes a new pair and dies after the given step.
  private func die(after step: KeyFolder.Step) async {
    await #expect(processExitsWith: .exitCode(7)) { [path = path as String, last = step.rawValue as Int] in
      let pair = try RSAPrivateKey.generate(bits: 2048)
      let name = KeyFileName(date: "2026-03-01", name: "resolver", keyId: pair.publicKey().keyIdHex)
      try KeyFolder(making: path).write(privateHalf: pair.pkcs8PEM(), publicHalf: pair.publicKey().pem(), as: name) {
        reached in
        if reached.rawValue == last { exit(7) }
      }
    }
  }

  private func inventory() throws -> KeyInventory { try KeyInventory(try Folder(opening: path)) }

  private func files() throws -> (open: [String], hidden: [String]) {
    let folder = try Folder(opening: path)
    return (try folder.entries(), try folder.subfolder(opening: "private").entries())
  }

  @Test(
    "A process that dies after any step leaves nothing usable or a whole pair, the list says so, and the next run ends it",
    arguments: KeyFolder.Step.allCases)
  func crash(step: KeyFolder.Step) async throws {
    await die(after: step)
    let isAlmostMade = step.rawValue >= KeyFolder.Step.privateNamed.rawValue
    let isOver = step == .publicPartGone
    #expect(try inventory().isClean == isOver)
    let named = try inventory().problems.count
    let parts = try files()
    let left = (parts.open + parts.hidden).filter { $0.hasSuffix(".part") }
    #expect(isOver ? left.isEmpty : named == left.count && named > 0)

    let repair = try KeyFolder(making: path).repair()
    #expect(repair.finished.count == (step == .privateNamed ? 1 : 0))
    let after = try inventory()
    #expect(after.isClean)
    #expect(after.pairs.count == (isAlmostMade ? 1 : 0))
    #expect(after.pairs.allSatisfy { $0.privateHalf == .present && $0.fileName?.name == "resolver" })
    let (open, hidden) = try files()
    #expect(open == hidden + ["private"])
    #expect(try KeyFolder(making: path).repair() == Repair(), "once is enough")
  }

  @Test("The run after an interrupted one of the same name answers with the pair that it finished")
  func sameNameAgain() async throws {
    await die(after: .privateNamed)
    let listed = try BuiltCommand.run(["keys", "list"], in: place)
    #expect(listed.code == 1)
    #expect(listed.output.contains("interrupted run"))
    let again = try BuiltCommand.run(["keys", "generate", "--name", "resolver"], in: place)
    #expect(again.code == 0)
    #expect(again.output.contains("Finished what an interrupted run had begun: keys/2026-03-01.resolver."))
    #expect(try inventory().pairs.count == 1)
    let third = try BuiltCommand.run(["keys", "generate", "--name", "resolver"], in: place)
    #expect(third.code == 1)
  }

  @Test("A finished pair of another size is not passed off as the one that was asked for")
  func otherSize() async throws {
    await die(after: .privateNamed)
    let again = try BuiltCommand.run(["keys", "generate", "--name", "resolver", "--bits", "3072"], in: place)
    #expect(again.code == 1)
    #expect(again.errors.contains("this one finished it"))
    #expect(try inventory().isClean)
  }

  @Test("An exchanged part is not given the name of a public half")
  func exchangedPart() async throws {
    await die(after: .privateNamed)
    let part = try #require(try files().open.first { $0.hasSuffix(".part") })
    let stranger = try RSAPrivateKey.generate(bits: 2048).publicKey()
    try place.write("keys/\(part)", stranger.pem(), mode: 0o644)
    let again = try BuiltCommand.run(["keys", "generate"], in: place)
    #expect(again.code == 1)
    #expect(again.errors.contains("is not the public half that its name says"))
    #expect(try inventory().pairs.allSatisfy { $0.key == nil })
  }

  @Test("A place that is taken, in either folder, ends the writing and leaves everything as it was")
  func taken() throws {
    let pair = try RSAPrivateKey.generate(bits: 2048)
    let name = KeyFileName(date: "2026-03-01", name: nil, keyId: pair.publicKey().keyIdHex)
    let folder = try KeyFolder(making: path)
    for taken in ["keys/\(name.text)", "keys/private/\(name.text)"] {
      try place.write(taken, "mine", mode: 0o600)
      let before = try files()
      let isRefused: Bool
      do throws(CommandFailure) {
        let pem = try pem(of: pair)
        try folder.write(privateHalf: pem, publicHalf: pair.publicKey().pem(), as: name)
        isRefused = false
      } catch {
        isRefused = error.sentence.contains("exists already and is not overwritten")
      }
      #expect(isRefused)
      let after = try files()
      #expect(after.open == before.open && after.hidden == before.hidden)
      #expect(try String(contentsOfFile: place.path(taken), encoding: .utf8) == "mine")
      try FileManager.default.removeItem(atPath: place.path(taken))
    }
  }

  private func pem(of pair: borrowing RSAPrivateKey) throws(CommandFailure) -> SecretBytes {
    do { return try pair.pkcs8PEM() } catch { throw .refused("\(error)") }
  }
}
