// From paths to files.

import Foundation
import Testing

@testable import VectorChecks

@Suite("Folders are taken apart without losing anything")
struct FileCollectionTests {
  @Test("Folders are searched to the bottom, sorted by bytes; papers and hidden files are passed over by name")
  func sorted() throws {
    let folder = try TemporaryFolder()
    for name in ["b.json", "B.json", "a/z.txt", "a/b/c.rsp", "ä.json"] { try folder.write("x", to: name) }
    for name in ["README", "a/readme.txt", "LICENSE", "notes.MD", ".hidden", "a/NOTICE"] {
      try folder.write("x", to: name)
    }
    let collection = FileCollection([folder.path])
    #expect(
      collection.files.map(\.path).map { $0.dropFirst(folder.path.count + 1) }
        == ["B.json", "a/b/c.rsp", "a/z.txt", "b.json", "ä.json"])
    #expect(collection.files.allSatisfy { $0.bytes == 1 })
    #expect(collection.passedOver.count == 6)
    #expect(collection.problems == [])
  }

  @Test("The order of the paths is kept, and a path that is given twice is read once")
  func order() throws {
    let folder = try TemporaryFolder()
    let (first, second) = (try folder.write("x", to: "a"), try folder.write("x", to: "b"))
    #expect(FileCollection([second, first, second]).files.map(\.path) == [second, first])
  }

  @Test("A link on the command line is followed; inside a folder only one that leads to a file")
  func links() throws {
    let folder = try TemporaryFolder()
    try folder.write("x", to: "real/file")
    let manager = FileManager.default
    try manager.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: folder.path + "/real")
    try manager.createSymbolicLink(atPath: folder.path + "/real/round", withDestinationPath: folder.path)
    try manager.createSymbolicLink(atPath: folder.path + "/real/other", withDestinationPath: folder.path + "/real/file")
    try manager.createSymbolicLink(atPath: folder.path + "/real/dangling", withDestinationPath: "/no/such/place")
    let collection = FileCollection([folder.path + "/link"])
    #expect(collection.files.map(\.path) == ["file", "other"].map { folder.path + "/link/" + $0 })
    #expect(collection.passedOver == [folder.path + "/link/round"])
    #expect(collection.problems.map(\.path) == [folder.path + "/link/dangling"])
  }

  @Test("What is neither a file nor a folder is never opened")
  func devices() {
    #expect(FileCollection(["/dev/null"]).problems.map(\.why) == ["neither a file nor a folder"])
  }

  @Test("A file over the limit is named with the limit, and not read")
  func tooLarge() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("{", to: "large.json")
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.truncate(atOffset: UInt64(FileReading.largestBytes) + 1)
    try handle.close()
    let file = try #require(FileCollection([path]).files.first)
    #expect(throws: FileReading.Failure.notUnderstood("larger than 256 MiB")) { try FileReading.content(of: file) }
  }

  @Test("Bytes that are no text are not understood; broken JSON and a member given twice are failures")
  func contents() {
    let notUnderstood: [([UInt8], String)] = [
      ([], "empty"), ([0xFF, 0xFE], "not text"), (Array("{\"a\":\"\u{E9}".utf8.dropLast()), "not text"),
    ]
    for (bytes, why) in notUnderstood {
      #expect(throws: FileReading.Failure.notUnderstood(why)) { try FileReading.content(of: bytes) }
    }
    let broken = ["{\"a\":1", "{\"a\":1}}", "{a:1}", "{\"a\":1,\"a\":1}", "{\"a\":\"\\ud83d\"}", " \n{"]
    for text in broken {
      #expect {
        try FileReading.content(of: Array(text.utf8))
      } throws: { error in
        if case .unreadable(let why)? = error as? FileReading.Failure { why.hasPrefix("not JSON") } else { false }
      }
    }
  }
}
