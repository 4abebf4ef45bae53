// OpenSSL's own server, with whatever certificate a test gives it.

import Foundation

package final class TLSServer: Sendable {
  package let port: Int
  private let child: Child

  package init(_ folder: CertificateFolder, certificate: String, arguments: [String] = []) throws {
    let words =
      ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", certificate + ".crt", "-key"]
      + [certificate + ".key"] + arguments
    child = try Child(words, in: folder.path)
    // It says `ACCEPT 127.0.0.1:43211` when it listens.
    while let line = child.readLine() {
      guard line.hasPrefix("ACCEPT"), let port = line.split(separator: ":").last.flatMap({ Int($0) }) else { continue }
      self.port = port
      return
    }
    throw ProgramFailed(arguments: words, words: "it does not listen")
  }
}

/// Two authorities and certificates of the first, made anew with the openssl command, so none expires in the repository.
package final class CertificateFolder: Sendable {
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
    ] { try sign(name, subject, days: days, by: "root") }
  }

  /// One more certificate with its key, signed by `root` or `foreign`.
  package func sign(_ name: String, _ subject: String, days: Int, by authority: String) throws {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    try "subjectAltName=\(subject)".write(toFile: "\(path)/\(name).ext", atomically: true, encoding: .utf8)
    try openssl("req \(key) -subj /CN=\(name) -keyout \(name).key -out \(name).csr")
    try openssl(
      "x509 -req -in \(name).csr -CA \(authority).crt -CAkey \(authority).key -CAcreateserial -days \(days) "
        + "-extfile \(name).ext -out \(name).crt")
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { print("left behind: \(path): \(error)") }
  }

  package func file(_ name: String) -> String { "\(path)/\(name)" }

  private func openssl(_ arguments: String) throws {
    try Child.run(["openssl"] + arguments.split(separator: " ").map(String.init), in: path)
  }
}
