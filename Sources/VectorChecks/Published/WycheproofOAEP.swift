// Project Wycheproof, RSAES-OAEP decryption with any pair of hashes that our door knows.

import Contracts
import Cryptography
import ServiceRuntime

extension WycheproofFile {
  static let rsaOAEP = kind("rsa-oaep", algorithm: "RSAES-OAEP", schema: "rsaes_oaep_decrypt_schema_v1.json") { group in
    let key = Result { () throws(CaseProblem) in TestRSAKey(pkcs8: try group.fields.hex("privateKeyPkcs8")) }
    return group.results { test throws(CaseProblem) in
      let (label, ciphertext, message) = (try test.hex("label"), try test.hex("ct"), try test.hex("msg"))
      let (hash, mgf) = (try group.fields.text("sha"), try group.fields.text("mgfSha"))
      guard let hash = OAEPHash(name: hash) else { return .skipped("hash " + Printable.name(hash)) }
      guard let mgf = OAEPHash(name: mgf) else { return .skipped("hash " + Printable.name(mgf)) }
      switch try key.get() {
      case .notTaken(let reason): return .skipped(reason)
      case .unreadable(let why): throw CaseProblem(why: why)
      case .loaded(let key):
        do throws(CryptographyError) {
          return .accepted(
            unless: try key.difference(decrypting: ciphertext, to: message, label: label, hash: hash, mgf: mgf))
        } catch { return .thrown(error) }
      }
    }
  }
}
