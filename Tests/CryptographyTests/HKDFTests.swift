// HKDF-SHA-256: the cases of RFC 5869, and what our own context and its second path must not change.

import MemoryInspection
import Secrets
import Testing

@testable import Cryptography

@Suite struct HKDFTests {
  struct Known: Sendable {
    let ikm: [UInt8]
    let salt: [UInt8]
    let info: [UInt8]
    let okm: String
  }

  static let standardCases = [
    Known(
      ikm: [UInt8](repeating: 0x0B, count: 22), salt: Array(0x00...0x0C), info: Array(0xF0...0xF9),
      okm: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
    Known(
      ikm: Array(0x00...0x4F), salt: Array(0x60...0xAF), info: Array(0xB0...0xFF),
      okm: """
        b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09\
        da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87
        """),
    Known(
      ikm: [UInt8](repeating: 0x0B, count: 22), salt: [], info: [],
      okm: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
  ]

  @Test("The cases of RFC 5869, in one context, forwards and backwards")
  func standard() throws {
    var hkdf = try HKDFSHA256()
    // Backwards, too: an empty salt behind a long one must not find the long one still there.
    for known in Self.standardCases + Self.standardCases.reversed() {
      let key = try hkdf.derive(
        ikm: known.ikm.span, salt: known.salt.span, info: known.info.span, count: known.okm.hex.count)
      #expect(copied(key.bytes) == known.okm.hex)
    }
  }

  /// Made with Python's `cryptography`: ikm 00…1f, salt "salt", info 0, 1, … 250, 0, … of the given length.
  static let longInfo = [
    (1024, "8b9a1df0fb46a0c6a77ac028adbc292838d6d829d60a5ce6ea2e005d8eee0a6621060f59b9ec39f02a6b55b501ab5a7d"),
    (1025, "e5a1310d6adf80ce73a4fe1f71d5ed5f78626e6ec2649e21194dec82474741e846d1326f5d0a4cceefa00da73735c5ec"),
    (32768, "02204c7416cd5c432cb33b7fe16e6282ee1419236cc6a2d38967a0f821b0f2d8c2aefd54bb03b93668f6acd4120ec460"),
    (32769, "26471e468f974a592f727543aa8c7486b25284370d179e8dc31d131b798d1676ef0a44c20eef0063d76e5f537a5d2019"),
    (100_000, "3cbf1e0b12c880f88b1cfb47f7788e63db4658b846c197c2c3e6a803c1c110ed83492068f23654f11496064866db2d06"),
  ]

  @Test("Info may have any length", arguments: longInfo)
  func anyLength(length: Int, expected: String) throws {
    let (ikm, salt): ([UInt8], [UInt8]) = (Array(0..<32), "salt".bytes)
    let info = (0..<length).map { UInt8($0 % 251) }
    var hkdf = try HKDFSHA256()
    let key = try hkdf.derive(ikm: ikm.span, salt: salt.span, info: info.span, count: 48)
    #expect(copied(key.bytes) == expected.hex)
  }

  @Test("Both paths give the same bytes, for every length of output and for empty inputs")
  func bothPaths() throws {
    var hkdf = try HKDFSHA256()
    let (some, none): ([UInt8], [UInt8]) = (Array(1...40), [])
    var compared = 0
    for count in [1, 31, 32, 33, 63, 64, 65, 500, 8159, 8160] {
      for (ikm, salt, info) in [(some, some, some), (some, none, some), (some, some, none), (none, some, some)] {
        let atOnce = try hkdf.derive(ikm: ikm.span, salt: salt.span, info: info.span, count: count)
        var inParts = try SecretBytes(zeroed: count)
        var span = inParts.mutableBytes
        try HKDFSHA256.deriveInParts(ikm: ikm.span, salt: salt.span, info: info.span, into: &span)
        #expect(copied(atOnce.bytes) == copied(inParts.bytes))
        compared += 1
      }
    }
    #expect(compared == 40)
  }

  @Test("More than 255 blocks are too long, whichever path", arguments: [10, 2000])
  func tooLong(info length: Int) throws {
    var hkdf = try HKDFSHA256()
    let (ikm, info): ([UInt8], [UInt8]) = ([1], [UInt8](repeating: 0, count: length))
    let error = failure { () throws(CryptographyError) in
      _ = try hkdf.derive(ikm: ikm.span, salt: ikm.span, info: info.span, count: 8161)
    }
    #expect(error == .tooLong)
    let most = try hkdf.derive(ikm: ikm.span, salt: ikm.span, info: info.span, count: 8160)
    #expect(copied(most.bytes).count == 8160)
  }

  @Test("Nothing asked for is nothing given")
  func nothing() throws {
    var hkdf = try HKDFSHA256()
    let some: [UInt8] = [1]
    let key = try hkdf.derive(ikm: some.span, salt: some.span, info: some.span, count: 0)
    #expect(copied(key.bytes) == [])
  }

  @Test("Each input changes the key")
  func inputsMatter() throws {
    var hkdf = try HKDFSHA256()
    let (one, two): ([UInt8], [UInt8]) = ([1], [2])
    var keys: Set<[UInt8]> = []
    for (ikm, salt, info) in [(one, one, one), (two, one, one), (one, two, one), (one, one, two)] {
      let key = try hkdf.derive(ikm: ikm.span, salt: salt.span, info: info.span)
      keys.insert(copied(key.bytes))
    }
    #expect(keys.count == 4)
  }

  @Test("A context that is used again keeps nothing of the key it was given", .enabled(if: Sanitizer.isAbsent))
  func forgets() throws {
    let secret = MemoryScan(random: 64)
    var hkdf = try HKDFSHA256()
    let info: [UInt8] = [1]
    do {
      var ikm = try SecretBytes(zeroed: 64)
      var span = ikm.mutableBytes
      secret.fill(&span)
      _ = try hkdf.derive(ikm: ikm.bytes, salt: info.span, info: info.span)
      #expect(try secret.places().count == 1)
    }
    #expect(try secret.places().isEmpty)
    _ = try hkdf.derive(ikm: info.span, salt: info.span, info: info.span)
  }
}
