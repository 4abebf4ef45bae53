// Certificates for the TLS tests: an authority with a server certificate for `localhost` and a client certificate for
// `postgres`, and another authority with a client certificate for `postgres` that the server has no reason to believe.
// Made anew for each cluster, so none can expire in the repository.

import Foundation

enum TestCertificates {
  private static let newKey = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"

  static func make(in folder: String) throws {
    for name in ["root", "other"] {
      try openssl(
        "req -x509 \(newKey) -days 2 -subj /CN=mandate-test-\(name) -keyout \(name).key -out \(name).crt",
        folder)
    }
    try "subjectAltName=DNS:localhost".write(toFile: folder + "/server.ext", atomically: true, encoding: .utf8)
    try "".write(toFile: folder + "/client.ext", atomically: true, encoding: .utf8)
    for (name, subject, extensions, authority) in [
      ("server", "localhost", "server", "root"), ("client", "postgres", "client", "root"),
      ("stranger", "postgres", "client", "other"),
    ] {
      try openssl(
        "req \(newKey) -subj /CN=\(subject) -keyout \(name).key -out \(name).csr",
        folder)
      try openssl(
        "x509 -req -in \(name).csr -CA \(authority).crt -CAkey \(authority).key -CAcreateserial -days 2 "
          + "-extfile \(extensions).ext -out \(name).crt", folder)
      // Server and client refuse a key that others may read. The supervisor gives the folder to the server's user.
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(folder)/\(name).key")
    }
  }

  static func settings(_ folder: String) -> [String] {
    [
      "ssl = on", "ssl_cert_file = '\(folder)/server.crt'", "ssl_key_file = '\(folder)/server.key'",
      "ssl_ca_file = '\(folder)/root.crt'",
    ]
  }

  private static func openssl(_ arguments: String, _ folder: String) throws {
    _ = try Supervisor.run("openssl", arguments.split(separator: " ").map(String.init), in: folder)
  }
}
