// Project Wycheproof, HKDF-SHA-256: any lengths in, up to 255 blocks out, one byte more refused.

import Contracts
import Cryptography
import Secrets

extension WycheproofFile {
  static let hkdfSHA256 = kind("hkdf-sha-256", algorithm: "HKDF-SHA-256", schema: "hkdf_test_schema_v1.json") { group in
    group.results { test throws(CaseProblem) in
      let (ikm, salt, info) = (try test.hex("ikm"), try test.hex("salt"), try test.hex("info"))
      let (size, expected) = (try test.integer("size"), try test.hex("okm"))
      guard size >= 0 else { throw CaseProblem(why: "size is negative") }
      do throws(CryptographyError) {
        var hkdf = try HKDFSHA256()
        let derived: SecretBytes = try hkdf.derive(ikm: ikm.span, salt: salt.span, info: info.span, count: size)
        let isRight = derived.equals(expected.span)
        return isRight ? .accepted : .failed("another key was derived")
      } catch { return .thrown(error, refusals: [.tooLong]) }
    }
  }
}
