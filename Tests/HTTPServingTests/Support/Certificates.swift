// Certificates for one test run, made with the openssl command: an authority, a server, clients good and bad, and an
// authority that nobody knows.

import Foundation

struct Certificates: Sendable {
  let folder: TemporaryFolder

  func path(_ name: String) -> String { folder.path(name) }

  init() throws {
    folder = try TemporaryFolder()
    for authority in ["ca", "foreign"] {
      try run(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        "-subj", "/CN=\(authority)", "-keyout", path("\(authority).key"), "-out", path("\(authority).pem"))
    }
    try issue("server", by: "ca", purpose: "serverAuth")
    try issue("server2", by: "ca", purpose: "serverAuth")
    try issue("client", by: "ca", purpose: "clientAuth")
    try issue("foreign-client", by: "foreign", purpose: "clientAuth")
    try issue("wrong-purpose", by: "ca", purpose: "serverAuth")
    try issue("expired", by: "ca", purpose: "clientAuth", days: "-1")
  }

  private func issue(_ name: String, by authority: String, purpose: String, days: String = "2") throws {
    try run(
      "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
      "-subj", "/O=Mandate/CN=\(name)", "-keyout", path("\(name).key"), "-out", path("\(name).csr"))
    try "extendedKeyUsage=\(purpose)\nsubjectAltName=IP:127.0.0.1\n".write(
      toFile: path("\(name).ext"), atomically: true, encoding: .utf8)
    try run(
      "x509", "-req", "-in", path("\(name).csr"), "-CA", path("\(authority).pem"), "-CAkey",
      path("\(authority).key"), "-CAcreateserial", "-days", days, "-extfile", path("\(name).ext"), "-out",
      path("\(name).pem"))
  }

  struct CommandFailed: Error { let arguments: [String] }

  private func run(_ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CommandFailed(arguments: arguments) }
  }
}
