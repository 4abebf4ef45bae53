// Secret files and folders on a real file system, with what must be refused there.

import FolderSupport
import Foundation
import Glibc
import Secrets
import Testing

@testable import ServiceRuntime

@Suite struct SecretFileTests {
  private func problem(_ path: String) -> FileProblem? {
    do throws(FileProblem) {
      _ = try SecretFile.read(path).count
      return nil
    } catch {
      return error
    }
  }

  @Test("A private file is read whole", arguments: [0o600, 0o400])
  func reads(mode: Int) throws {
    let path = try TemporaryFolder().write("secret", "hunter2\n", mode: mode)
    #expect(problem(path) == .missing, "the folder is gone with its owner")
    let folder = try TemporaryFolder()
    let secret = try SecretFile.read(folder.write("secret", "hunter2\n", mode: mode))
    let isWhole = secret.equals(Array("hunter2\n".utf8).span)
    #expect(isWhole)
  }

  @Test("A file that others can use is no secret", arguments: [0o604, 0o602, 0o601, 0o620, 0o644, 0o660, 0o666, 0o777])
  func openToOthers(mode: Int) throws {
    let folder = try TemporaryFolder()
    let found = problem(try folder.write("secret", "x", mode: mode))
    #expect(found == .openToOthers(mode: "0" + String(mode, radix: 8)))
    #expect(found?.sentence.contains("chmod go=") == true)
  }

  private func judgement(_ mode: UInt32, owner: UInt32, user: UInt32) -> FileProblem? {
    do throws(FileProblem) {
      try SecretFile.judge(FileStatus(kind: .regular, mode: mode, owner: owner, size: 1), user: user)
      return nil
    } catch {
      return error
    }
  }

  @Test("Root's file may be read by a group, as credentials and container secrets are; nobody else's may")
  func groupReadable() {
    #expect(judgement(0o640, owner: 0, user: 1000) == nil)
    #expect(judgement(0o440, owner: 0, user: 1000) == nil)
    #expect(judgement(0o660, owner: 0, user: 1000) == .openToOthers(mode: "0660"))
    #expect(judgement(0o444, owner: 0, user: 1000) == .openToOthers(mode: "0444"))
    #expect(judgement(0o640, owner: 1000, user: 1000) == .openToOthers(mode: "0640"))
    #expect(judgement(0o640, owner: 1000, user: 0) == .openToOthers(mode: "0640"))
  }

  @Test("A file of another user is not believed, except by root")
  func owners() {
    #expect(judgement(0o600, owner: 1000, user: 1000) == nil)
    #expect(judgement(0o600, owner: 0, user: 1000) == nil)
    #expect(judgement(0o600, owner: 1001, user: 1000) == .foreign(owner: 1001))
    #expect(judgement(0o600, owner: 1001, user: 0) == nil)
  }

  @Test("A symbolic link, a folder, a pipe, a device and nothing at all are no secret files")
  func otherKinds() throws {
    let folder = try TemporaryFolder()
    let target = try folder.write("secret", "x", mode: 0o600)
    #expect(problem(try folder.link("link", to: target)) == .link)
    #expect(problem(try folder.link("dangling", to: "nowhere")) == .link)
    #expect(problem(try folder.makeFolder("folder")) == .notRegular)
    // Nobody writes into this pipe: whoever waited for that would hang here.
    let made = unsafe mkfifo(folder.path("pipe"), 0o600)
    #expect(made == 0)
    #expect(problem(folder.path("pipe")) == .notRegular)
    #expect(problem("/dev/null") == .notRegular)
    #expect(problem(folder.path("nowhere")) == .missing)
    #expect(problem("") == .missing)
  }

  @Test("An empty file and one beyond the limit are refused, one at the limit is not")
  func sizes() throws {
    let folder = try TemporaryFolder()
    #expect(problem(try folder.write("empty", "", mode: 0o600)) == .empty)
    let atLimit = try folder.write("full", String(repeating: "x", count: SecretFile.longest), mode: 0o600)
    #expect(problem(atLimit) == nil)
    let beyond = try folder.write("more", String(repeating: "x", count: SecretFile.longest + 1), mode: 0o600)
    #expect(problem(beyond) == .tooLong(limit: SecretFile.longest))
  }
}

@Suite struct FolderTests {
  private let place: TemporaryFolder
  private let bytes = Array("contents".utf8)

  init() throws { place = try TemporaryFolder() }

  private func problem(_ body: () throws(FileProblem) -> Void) -> FileProblem? {
    do throws(FileProblem) {
      try body()
      return nil
    } catch {
      return error
    }
  }

  @Test("A new file has its mode whatever the umask, and its bytes")
  func creates() throws {
    let folder = try Folder(opening: place.path)
    try folder.create("a", mode: 0o644, bytes.span)
    try folder.create("b", mode: 0o600, bytes.span)
    #expect(folder.status(of: "a")?.mode == 0o644)
    #expect(folder.status(of: "b")?.mode == 0o600)
    let contents = try folder.read("a", limit: 100)
    let isWhole = ConstantTime.equal(contents.bytes, bytes.span)
    #expect(isWhole)
    #expect(try folder.entries() == ["a", "b"])
  }

  @Test("Nothing is overwritten, by a new file or by a second name, and no link is followed")
  func neverOverwrites() throws {
    let folder = try Folder(opening: place.path)
    try folder.create("a", mode: 0o600, bytes.span)
    try folder.create("b", mode: 0o600, bytes.span)
    _ = try place.link("link", to: place.path("elsewhere"))
    #expect(problem { () throws(FileProblem) in try folder.create("a", mode: 0o600, bytes.span) } == .exists)
    #expect(problem { () throws(FileProblem) in try folder.create("link", mode: 0o600, bytes.span) } == .exists)
    #expect(problem { () throws(FileProblem) in try folder.link("a", as: "b") } == .exists)
    #expect(problem { () throws(FileProblem) in try folder.link("a", as: "link") } == .exists)
    #expect(try place.names == ["a", "b", "link"])
    try folder.link("a", as: "c")
    try folder.remove("a")
    #expect(try folder.entries() == ["b", "c", "link"])
    #expect(problem { () throws(FileProblem) in try folder.remove("a") } == .missing)
  }

  @Test("A private subfolder is made for its owner alone, and used as it is where it exists")
  func subfolders() throws {
    let folder = try Folder.make(place.path("keys"))
    #expect(try folder.privateSubfolder(making: "private").status().mode == 0o700)
    _ = try place.makeFolder("keys/wide", mode: 0o755)
    #expect(try folder.privateSubfolder(making: "wide").status().mode == 0o755)
    #expect(try folder.status().mode == 0o755)
    #expect(folder.absolutePath == place.path("keys"))
  }

  @Test("A symbolic link and a file are no folders, wherever they point")
  func notFolders() throws {
    _ = try place.makeFolder("real")
    let link = try place.link("link", to: place.path("real"))
    let file = try place.write("file", "x", mode: 0o600)
    #expect(problem { () throws(FileProblem) in _ = try Folder(opening: link).path } == .link)
    #expect(problem { () throws(FileProblem) in _ = try Folder.make(link).path } == .link)
    #expect(problem { () throws(FileProblem) in _ = try Folder.make(link + "//").path } == .link)
    #expect(problem { () throws(FileProblem) in _ = try Folder(opening: file).path } == .notFolder)
    #expect(problem { () throws(FileProblem) in _ = try Folder.make(place.path("no/keys")).path } == .missing)
    #expect(problem { () throws(FileProblem) in _ = try Folder(opening: place.path("no")).path } == .missing)
    let folder = try Folder(opening: place.path)
    #expect(problem { () throws(FileProblem) in _ = try folder.privateSubfolder(making: "link").path } == .link)
  }

  @Test("Reading keeps to its limit and to regular files")
  func reading() throws {
    let folder = try Folder(opening: place.path)
    try folder.create("a", mode: 0o600, bytes.span)
    _ = try place.link("link", to: "a")
    #expect(problem { () throws(FileProblem) in _ = try folder.read("a", limit: 7).count } == .tooLong(limit: 7))
    #expect(problem { () throws(FileProblem) in _ = try folder.read("a", limit: 8).count } == nil)
    #expect(problem { () throws(FileProblem) in _ = try folder.read("link", limit: 8).count } == .link)
    #expect(problem { () throws(FileProblem) in _ = try folder.read("b", limit: 8).count } == .missing)
  }

  @Test("One at a time holds the lock, and it ends with its holder")
  func locks() throws {
    do {
      let first = try Folder(opening: place.path)
      try first.lock()
      let second = try Folder(opening: place.path)
      #expect(problem { () throws(FileProblem) in try second.lock(attempts: 1) } == .busy)
    }
    let third = try Folder(opening: place.path)
    #expect(problem { () throws(FileProblem) in try third.lock(attempts: 1) } == nil)
    third.unlock()
    let fourth = try Folder(opening: place.path)
    #expect(problem { () throws(FileProblem) in try fourth.lock(attempts: 1) } == nil)
  }

  @Test("A name that leads out of the folder stops the program", arguments: ["../x", "a/b", "..", ".", ""])
  func names(name: String) async {
    await #expect(processExitsWith: .failure) { [name] in _ = try Folder(opening: "/").status(of: name) }
  }
}
