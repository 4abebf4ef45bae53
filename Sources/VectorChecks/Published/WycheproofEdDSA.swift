// Project Wycheproof, EdDSA over edwards25519: only exact signatures in their one encoding verify.

import Contracts
import Cryptography

extension WycheproofFile {
  static let ed25519 = kind(
    "ed25519", algorithm: "EDDSA", schema: "eddsa_verify_schema_v1.json",
    applies: { curve(of: $0) == "edwards25519" }
  ) { group in
    let key = Result { () throws(CaseProblem) in try ed25519Key(of: group.fields) }
    return group.results { test throws(CaseProblem) in
      let (message, signature) = (try test.hex("msg"), try test.hex("sig"))
      guard let key = try key.get() else { return .refused }
      do throws(CryptographyError) {
        try key.verify(signature: signature.span, message: message.span)
        return .accepted
      } catch { return .thrown(error) }
    }
  }

  static func curve(of group: CaseFields) -> String? { group["publicKey"]?["curve"]?.text }

  /// The raw form and the DER form must be one key; nil where our door takes neither.
  private static func ed25519Key(of group: CaseFields) throws(CaseProblem) -> Ed25519PublicKey? {
    let raw = try group.fields("publicKey").hex("pk")
    let der = try group.hex("publicKeyDer")
    switch (try? Ed25519PublicKey(raw: raw.span), try? Ed25519PublicKey(spki: der.span)) {
    case (let key?, let other?):
      guard key == other else { throw CaseProblem(why: "publicKey and publicKeyDer are different keys") }
      return key
    case (nil, nil): return nil
    default: throw CaseProblem(why: "only one of publicKey and publicKeyDer loads")
    }
  }
}
