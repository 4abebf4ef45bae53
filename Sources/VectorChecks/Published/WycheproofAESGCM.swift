// Project Wycheproof, AES-GCM: sealing must give the ciphertext and tag, opening the message, and nothing else opens.

import Contracts
import Cryptography

extension WycheproofFile {
  static let aesGCM = kind("aes-gcm", algorithm: "AES-GCM", schema: "aead_test_schema_v1.json") { group in
    let tagBits = group.fields["tagSize"]?.number?.integer
    return group.results { test throws(CaseProblem) in
      let input = try GCMCase(test)
      guard input.tag.count * 8 == tagBits else { throw CaseProblem(why: "the tag has not the group's tagSize") }
      return input.finding()
    }
  }
}

extension GCMCase {
  fileprivate init(_ test: CaseFields) throws(CaseProblem) {
    self.init(
      key: try test.hex("key"), iv: try test.hex("iv"), aad: try test.hex("aad"), message: try test.hex("msg"),
      ciphertext: try test.hex("ct"), tag: try test.hex("tag"))
  }

  /// Opens, and where that works seals again: both must agree with the test.
  fileprivate func finding() -> WycheproofFinding {
    guard tag.count == AESGCM.tagBytes else { return .skipped(GCMCase.shortTag) }
    guard [16, 24, 32].contains(key.count) else { return .refused }
    guard !iv.isEmpty else { return findingWithoutIV() }
    do throws(CryptographyError) {
      if let difference = try openDifference() { return .failed(difference) }
      return .accepted(unless: try sealDifference())
    } catch { return .thrown(error) }
  }

  /// Refused means: whichever way it is used.
  private func findingWithoutIV() -> WycheproofFinding {
    var refusals = 0
    do throws(CryptographyError) { _ = try sealDifference() } catch { refusals += error == .rejected ? 1 : 0 }
    do throws(CryptographyError) { _ = try openDifference() } catch { refusals += error == .rejected ? 1 : 0 }
    return refusals == 2 ? .refused : .accepted
  }
}
