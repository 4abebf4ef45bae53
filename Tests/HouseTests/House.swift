// The real house: its manifest, sources, binaries and repository, read from the checkout that these tests were
// compiled in.

import Foundation

enum House {
  enum Unreadable: Error {
    case tool(String, status: Int32, said: String)
    case noSymbolReader
    case noSources
  }

  /// Three folders up from this file. Tests are built and run in the same place.
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  // MARK: Package

  /// SwiftPM's own reading of Package.swift. `swift test` may hold the lock of the build folder while this runs, so
  /// the dump gets a folder of its own.
  static func manifest() throws -> Manifest {
    let scratch = root.appending(path: ".build/house-tests").path
    let json = try run("swift", "package", "--package-path", root.path, "--scratch-path", scratch, "dump-package")
    let text = try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)
    return try Manifest(json: json, text: text)
  }

  // MARK: Sources

  /// Every Swift file that we write. What a build leaves in a hidden folder is not ours.
  static func sources() throws -> [SourceFile] {
    var paths: [String] = []
    for area in ["Sources", "Tests", "Benchmarks", "Fuzz"] {
      guard let below = FileManager.default.enumerator(atPath: root.appending(path: area).path) else { continue }
      for case let path as String in below {
        if path.split(separator: "/").last?.hasPrefix(".") == true {
          below.skipDescendants()
        } else if path.hasSuffix(".swift") {
          paths.append("\(area)/\(path)")
        }
      }
    }
    guard !paths.isEmpty else { throw Unreadable.noSources }
    return try paths.sorted().map { path in
      SourceFile(path: path, text: try String(contentsOf: root.appending(path: path), encoding: .utf8))
    }
  }

  // MARK: Binaries

  /// The executables that lie beside the running tests, and the names of those that are not built yet.
  static func binaries() throws -> (built: [Binary], missing: [String]) {
    let running = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let folder = URL(filePath: running).deletingLastPathComponent()
    let reader = try symbolReader()
    var built: [Binary] = []
    var missing: [String] = []
    for name in (Plan.floors[5] ?? []).sorted() {
      let file = folder.appending(path: name).path
      guard FileManager.default.isExecutableFile(atPath: file) else {
        missing.append(name)
        continue
      }
      let listing = try run(reader, file) + run(reader, "-D", "--undefined-only", file)
      built.append(Binary(name: name, listing: String(decoding: listing, as: UTF8.self)))
    }
    return (built, missing)
  }

  /// The toolchain brings its own `llvm-nm`; binutils, which has the other, is on most machines too.
  private static func symbolReader() throws -> String {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    let besideSwift = folders.map { URL(filePath: $0).appending(path: "swift").resolvingSymlinksInPath() }
      .filter { FileManager.default.isExecutableFile(atPath: $0.path) }.map { $0.deletingLastPathComponent().path }
    for name in ["llvm-nm", "nm"] {
      for folder in besideSwift + folders where FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") {
        return "\(folder)/\(name)"
      }
    }
    throw Unreadable.noSymbolReader
  }

  // MARK: Repository

  /// A source archive has no repository to look into.
  static let isRepository = FileManager.default.fileExists(atPath: root.appending(path: ".git").path)

  static func git(_ arguments: String...) throws -> Data {
    // A checkout that belongs to another user (a mounted one, say) is fine to look at.
    try run(["git", "-C", root.path, "-c", "safe.directory=*"] + arguments)
  }

  static func committedPaths() throws -> [String] { paths(try git("ls-files", "-z")) }

  /// Committed files and those that the next commit may take.
  static func files() throws -> [RepositoryFile] {
    paths(try git("ls-files", "-z", "--cached", "--others", "--exclude-standard")).compactMap { path in
      guard let data = FileManager.default.contents(atPath: root.appending(path: path).path) else { return nil }
      return RepositoryFile(path: path, text: String(decoding: data, as: UTF8.self))
    }
  }

  private static func paths(_ list: Data) -> [String] {
    String(decoding: list, as: UTF8.self).split(separator: "\0").map(String.init)
  }

  // MARK: Tools

  static func run(_ command: String...) throws -> Data { try run(command) }

  /// The standard output of a command that must succeed. What make tells its children is kept from it, because the
  /// tests themselves may run under make.
  static func run(_ command: [String]) throws -> Data {
    let process = Process()
    let output = Pipe()
    let complaints = FileManager.default.temporaryDirectory.appending(path: "house-\(UUID().uuidString)")
    _ = FileManager.default.createFile(atPath: complaints.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: complaints) }
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.environment = ProcessInfo.processInfo.environment.filter {
      !["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"].contains($0.key)
    }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    // A file, not a second pipe: nobody reads it before the end, and a full pipe would stop the command.
    process.standardError = try FileHandle(forWritingTo: complaints)
    try process.run()
    let said = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let words = (try? String(contentsOf: complaints, encoding: .utf8)) ?? ""
      throw Unreadable.tool(command.joined(separator: " "), status: process.terminationStatus, said: words)
    }
    return said
  }
}
