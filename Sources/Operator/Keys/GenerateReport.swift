// What `generate` says when a pair was made: its names, and how its halves get to the processes that need them.

import Contracts
import Cryptography
import ServiceRuntime

struct GenerateReport: Encodable, Sendable {
  let keyId: String
  let fingerprint: String
  let name: String?
  let bits: Int
  let created: String?
  let publicFile: String
  let privateFile: String
  /// A line for the environment of each service.
  let issuer: [String: String]
  let resolver: [String: String]
  /// What was found of interrupted runs, and done about it.
  let finished: [String]
  let removed: [String]

  init(_ file: KeyFileName, _ key: RSAPublicKey, in folder: borrowing KeyFolder, _ repair: Repair) {
    (keyId, fingerprint, bits) = (key.keyIdHex, Hex.encode(key.fingerprint), key.bits)
    (name, created) = (file.name, file.date)
    (publicFile, privateFile) = (folder.open.path(of: file.text), folder.hidden.path(of: file.text))
    let root = folder.open.absolutePath
    issuer = [KnownVariable.resolverPublicKey.fileVariable: "\(root)/\(file.text)"]
    resolver = [KnownVariable.resolverPrivateKey.fileVariable: "\(root)/\(KeyFolder.privateName)/\(file.text)"]
    finished = repair.finished.map { folder.open.path(of: $0.text) }
    removed = repair.removed
  }

  var text: String {
    let repaired =
      finished.map { "Finished what an interrupted run had begun: \(Printable.name($0))\n" }
      + removed.map { "Removed what an interrupted run had left: \(Printable.name($0))\n" }
    let facts = Facts.text([
      ("key id", keyId), ("fingerprint", "sha256:\(fingerprint)"), ("name", name), ("bits", String(bits)),
      ("created", created), ("public half", Printable.name(publicFile)), ("private half", Printable.name(privateFile)),
    ])
    return """
      \(repaired.joined())Made a pair for the resolver.

      \(facts)
      The issuer gets the public half, the resolver alone the private one:

        issuer    \(Self.line(issuer))
        resolver  \(Self.line(resolver))

      The private file must belong to the user that the resolver runs as (chown), or to root with mode 0640.

      """
  }

  private static func line(_ variables: [String: String]) -> String {
    variables.map { "\($0.key)=\(Printable.name($0.value))" }.joined(separator: " ")
  }
}
