// Every kind reads a file that an independent implementation wrote, and accounts for each of its cases.

import Contracts
import Testing

@testable import VectorChecks

@Suite("Every kind accounts for every case")
struct FixtureTests {
  struct Expectation: Sendable, CustomTestStringConvertible {
    let file: String
    let kind: String
    let passed: Int
    var setApart: [String: Int] = [:]
    var skipped: [String: Int] = [:]
    var testDescription: String { file }
  }

  static let all = [
    Expectation(file: "cavp-encrypt.rsp", kind: "cavp gcm", passed: 4),
    Expectation(
      file: "cavp-decrypt.rsp", kind: "cavp gcm", passed: 3, skipped: ["tag shorter than 128 bits": 2]),
    Expectation(file: "hkdf.txt", kind: "rfc5869 hkdf", passed: 2, skipped: ["HKDF with SHA-1": 1]),
    Expectation(file: "oaep-examples.txt", kind: "rsa-oaep examples", passed: 2, skipped: ["hash sha3-256": 1]),
    Expectation(file: "oaep-spread.txt", kind: "rsa-oaep examples", passed: 1, skipped: ["key under 2048 bits": 1]),
    Expectation(file: "oaep-label.txt", kind: "rsa-oaep label", passed: 2),
    Expectation(file: "wycheproof-aes-gcm.json", kind: "wycheproof aes-gcm", passed: 6, setApart: ["acceptable": 2]),
    Expectation(file: "wycheproof-hkdf.json", kind: "wycheproof hkdf-sha-256", passed: 4),
    Expectation(file: "wycheproof-ed25519.json", kind: "wycheproof ed25519", passed: 4),
    Expectation(
      file: "wycheproof-rsa-oaep.json", kind: "wycheproof rsa-oaep", passed: 5,
      skipped: ["hash SHA3-256": 1, "key under 2048 bits": 1]),
    Expectation(file: "seeds-grant-derivation-v1.json", kind: "grant-derivation-v1", passed: 6),
    Expectation(
      file: "seeds-grant-unwrap.json", kind: "grant-unwrap", passed: 14,
      setApart: [
        "DEV-2 derivation unusable": 1, "DEV-3 date spelling": 2, "engine-dependent": 1, "js-coercion": 1,
        "wrong-type": 1, "key under 2048 bits": 1,
      ]),
    Expectation(
      file: "seeds-enc1.json", kind: "enc1", passed: 18,
      setApart: ["DEV-1 lone surrogate": 2, "DEV-4 reason wording": 1, "engine-dependent": 1]),
    Expectation(file: "seeds-record-replay.json", kind: "record-replay", passed: 25, setApart: ["js-artifact": 1]),
    Expectation(
      file: "seeds-resolver-format.json", kind: "resolver-format", passed: 34,
      setApart: [
        "DEV-1 lone surrogate": 1, "DEV-4 reason wording": 1, "DEV-5 audited by us alone": 1,
        "F-33 table of another module": 1, "js-coercion": 1,
      ]),
  ]

  @Test("A file of this kind passes, and what is not asserted is counted by its reason", arguments: all)
  func accounts(_ expected: Expectation) throws {
    let verdict = verdict(on: try FileReading.content(of: Array(try Fixtures.text(expected.file).utf8)))
    let tally = try #require(verdict.tally, "\(verdict)")
    #expect(verdict.kind == expected.kind)
    #expect(tally.failures == [])
    #expect(tally.passed == expected.passed)
    #expect(tally.setApart == expected.setApart)
    #expect(tally.skipped == expected.skipped)
    #expect(tally.cases == tally.passed + tally.failed + tally.setApartCount + tally.skippedCount)
  }

  @Test("Each fixture is claimed by exactly one kind, and each kind has a fixture")
  func kindsAreApart() throws {
    var claimed: Set<String> = []
    for expectation in Self.all {
      let content = try FileReading.content(of: Array(try Fixtures.text(expectation.file).utf8))
      let kinds = VectorKinds.all.filter { $0.recognises(content) }.map(\.name)
      #expect(kinds == [expectation.kind])
      claimed.formUnion(kinds)
    }
    let known = Set((VectorKinds.published + VectorKinds.seeds).map(\.name))
    #expect(claimed.union(["rsa-oaep worked example"]) == known)
  }

  @Test("PKCS #1's worked example is named and skipped: its key has 1024 bits")
  func workedExample() {
    let verdict = verdict(
      on: .text("RSA-OAEP encryption with intermediate values\n====\n# Public key\n# Modulus:\nbb f8"))
    #expect(verdict.tally?.skipped == ["key under 2048 bits": 1])
    #expect(verdict.fails, "alone it proves nothing")
  }
}
