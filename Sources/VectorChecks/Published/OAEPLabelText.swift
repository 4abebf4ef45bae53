// RSA-OAEP with a label, as text: PKCS#8 key, digest, label, ciphertext and plaintext as `NAME = value` lines.

import Contracts
import Cryptography
import ServiceRuntime

enum OAEPLabelText {
  static let kind = VectorKind(
    name: "rsa-oaep label",
    recognises: { content in
      guard case .text(let text) = content else { return false }
      return ["KEY", "OAEPDigest", "OAEPLabel", "Input", "Output"].allSatisfy { name in
        TextLines.start(of: text) { $0.pair()?.name == name }
      }
    },
    count: { PairCases.count($0) },
    check: { content, progress throws(UnreadableVectors) in
      try PairCases.run(content, progress) { values throws(CaseProblem) in try check(values) }
    })

  private static func check(_ values: PairCase) throws(CaseProblem) -> Outcome {
    guard try values.text("RSAPadding") == "OAEP" else { throw CaseProblem(why: "RSAPadding is not OAEP") }
    // One digest for both where the mask's is not named: what the program that wrote these files does.
    let digest = try values.text("OAEPDigest")
    let maskDigest = values.has("MGF1Digest") ? try values.text("MGF1Digest") : digest
    guard let hash = OAEPHash(name: digest) else { return .skipped("hash " + Printable.name(digest)) }
    guard let mgf = OAEPHash(name: maskDigest) else { return .skipped("hash " + Printable.name(maskDigest)) }
    let (label, ciphertext) = (try values.hex("OAEPLabel"), try values.hex("Input"))
    let message = try plaintext(try values.text("Output"))
    switch TestRSAKey(pkcs8: try values.hex("KEY")) {
    case .notTaken(let reason): return .skipped(reason)
    case .unreadable(let why): return .failed(why)
    case .loaded(let key):
      do throws(CryptographyError) {
        return Outcome.passed(
          unless: try key.difference(decrypting: ciphertext, to: message, label: label, hash: hash, mgf: mgf))
      } catch { return .failed(error == .rejected ? "refused, though it is valid" : "our own failure: \(error)") }
    }
  }

  /// In quotes as it is, otherwise hex.
  private static func plaintext(_ text: String) throws(CaseProblem) -> [UInt8] {
    if text.hasPrefix("\""), text.hasSuffix("\""), text.utf8.count >= 2 {
      return Array(text.utf8.dropFirst().dropLast())
    }
    guard let bytes = Hex.decode(text) else { throw CaseProblem(why: "Output is neither hex nor in quotes") }
    return bytes
  }
}
