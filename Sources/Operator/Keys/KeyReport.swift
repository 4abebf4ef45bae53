// A pair as it is told: the members of the JSON answers, and the same facts as text.

import Contracts
import Cryptography
import ServiceRuntime

struct KeyReport: Encodable, Sendable {
  let keyId: String?
  /// SHA-256 over the SPKI DER, in hex; the key id is its first half.
  let fingerprint: String?
  let name: String?
  let bits: Int?
  let created: String?
  let publicFile: String?
  let privateFile: String?
  let privateHalf: HiddenHalves.Presence
  let problems: [String]

  init(_ pair: KeyPair) {
    (keyId, name, created) = (pair.keyId, pair.fileName?.name, pair.created)
    (bits, fingerprint) = (pair.key?.bits, pair.key.map { Hex.encode($0.fingerprint) })
    (publicFile, privateFile) = (pair.publicPath, pair.privatePath)
    (privateHalf, problems) = (pair.privateHalf, pair.problems)
  }

  /// Label and value, one to a line.
  var facts: String {
    Facts.text([
      ("key id", keyId), ("fingerprint", fingerprint.map { "sha256:\($0)" }), ("name", name),
      ("bits", bits.map { String($0) }), ("created", created), ("public half", publicFile.map(Printable.name)),
      ("private half", privateFile.map(Printable.name) ?? privateHalf.rawValue),
    ])
  }
}

enum Facts {
  private static let width = 14

  /// Facts that are not known are not mentioned.
  static func text(_ facts: [(label: String, value: String?)]) -> String {
    facts.compactMap { fact in
      fact.value.map { "  " + fact.label + String(repeating: " ", count: max(2, width - fact.label.count)) + $0 + "\n" }
    }.joined()
  }
}
