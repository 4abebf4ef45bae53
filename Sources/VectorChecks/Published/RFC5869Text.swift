// The test cases of RFC 5869 as text (`Hash =`, `IKM =`, …, `OKM =`). Only HKDF with SHA-256 is ours.

import Contracts
import Cryptography
import Secrets
import ServiceRuntime

enum RFC5869Text {
  static let kind = VectorKind(
    name: "rfc5869 hkdf",
    recognises: { content in
      guard case .text(let text) = content else { return false }
      return ["Hash", "IKM", "salt", "info", "OKM"].allSatisfy { name in
        TextLines.start(of: text) { $0.pair()?.name == name }
      }
    },
    count: { PairCases.count($0) },
    check: { content, progress throws(UnreadableVectors) in
      try PairCases.run(content, progress) { values throws(CaseProblem) in try check(values) }
    })

  private static func check(_ values: PairCase) throws(CaseProblem) -> Outcome {
    let hash = try values.text("Hash")
    guard OAEPHash(name: hash) == .sha256 else { return .skipped("HKDF with " + Printable.name(hash)) }
    let (ikm, salt, info) = (try values.hex("IKM"), try values.hex("salt"), try values.hex("info"))
    let expected = try values.hex("OKM")
    guard try values.text("L") == String(expected.count) else { throw CaseProblem(why: "L is not the length of OKM") }
    do throws(CryptographyError) {
      if values.has("PRK") {
        let extracted = try HMACSHA256.authenticate(ikm.span, key: salt.span)
        guard extracted == (try? values.hex("PRK")) else { return .failed("another PRK was extracted") }
      }
      var hkdf = try HKDFSHA256()
      let derived: SecretBytes = try hkdf.derive(
        ikm: ikm.span, salt: salt.span, info: info.span, count: expected.count)
      let isRight = derived.equals(expected.span)
      return isRight ? .passed : .failed("another OKM was derived")
    } catch { return .failed("our own failure: \(error)") }
  }
}
