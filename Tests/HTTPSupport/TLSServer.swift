// OpenSSL's own server, with whatever certificate a test gives it.

import Foundation

package final class TLSServer {
  package struct Unusable: Error { package let words: String }

  package let port: Int
  private let process: Process
  private let output: Pipe

  package init(_ folder: CertificateFolder, certificate: String, arguments: [String] = []) throws {
    process = Process()
    output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/openssl")
    process.currentDirectoryURL = URL(filePath: folder.path)
    process.arguments =
      ["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", certificate + ".crt", "-key", certificate + ".key"]
      + arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    // It says `ACCEPT 127.0.0.1:43211` when it listens.
    var said = ""
    while !said.contains("ACCEPT") || !said.hasSuffix("\n") {
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { throw Unusable(words: said) }
      said += String(decoding: more, as: UTF8.self)
    }
    guard let line = said.split(separator: "\n").first(where: { $0.hasPrefix("ACCEPT") }),
      let port = line.split(separator: ":").last.flatMap({ Int($0) })
    else { throw Unusable(words: said) }
    self.port = port
  }

  deinit {
    process.terminate()
    process.waitUntilExit()
  }
}

/// Two authorities and certificates of the first, made anew with the openssl command, so none expires in the repository.
package final class CertificateFolder: Sendable {
  package struct Failed: Error { package let arguments: String }

  package let path: String

  package init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "mandate-tls-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for name in ["root", "foreign"] {
      try openssl("req -x509 \(key) -days 2 -subj /CN=mandate-test-\(name) -keyout \(name).key -out \(name).crt")
    }
    for (name, subject, days) in [
      ("good", "DNS:localhost", 2), ("expired", "DNS:localhost", -1), ("other", "DNS:other.example", 2),
      ("client", "DNS:client", 2),
    ] {
      try "subjectAltName=\(subject)".write(toFile: "\(path)/\(name).ext", atomically: true, encoding: .utf8)
      try openssl("req \(key) -subj /CN=\(name) -keyout \(name).key -out \(name).csr")
      try openssl(
        "x509 -req -in \(name).csr -CA root.crt -CAkey root.key -CAcreateserial -days \(days) -extfile \(name).ext "
          + "-out \(name).crt")
    }
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { print("left behind: \(path): \(error)") }
  }

  package func file(_ name: String) -> String { "\(path)/\(name)" }

  private func openssl(_ arguments: String) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/openssl")
    process.currentDirectoryURL = URL(filePath: path)
    process.arguments = arguments.split(separator: " ").map(String.init)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed(arguments: arguments) }
  }
}
