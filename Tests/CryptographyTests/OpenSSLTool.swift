// The real `openssl`, in a folder of its own that goes away. Suites that need it are skipped by name without it.

import Foundation

final class OpenSSLTool {
  static let isHere = FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")

  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "mandate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
  }

  deinit {
    // What cannot be removed is the system's to remove: it lies in the folder for temporary files.
    _ = try? FileManager.default.removeItem(at: folder)
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: folder.appending(path: name))
  }

  func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

  func read(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: folder.appending(path: name))) }

  func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

  func mode(of name: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: folder.appending(path: name).path)[.posixPermissions] as? Int
  }

  struct Failed: Error {
    let command: String
    let status: Int32
  }

  /// Runs a line of shell in the folder; what it says on the error channel is kept away from the test's own output.
  func run(_ command: String) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", command]
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed(command: command, status: process.terminationStatus) }
  }

  func fails(_ command: String) -> Bool {
    do {
      try run(command)
      return false
    } catch {
      return true
    }
  }
}

/// PEM of any DER under any label.
func armoured(_ der: [UInt8], label: String) -> String {
  let body = Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
  return "-----BEGIN \(label)-----\n\(body)\n-----END \(label)-----\n"
}

/// The DER in a clean PEM.
func derOf(_ pem: String) -> [UInt8] {
  let body = pem.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
  return [UInt8](Data(base64Encoded: body) ?? Data())
}
