// SHA-256 (FIPS 180-4), HMAC-SHA-256 (RFC 4231) and HKDF-SHA-256 (RFC 5869).

import Secrets
import Testing

@testable import Cryptography

@Suite struct HashTests {
  @Test(
    "SHA-256 gives the digests of FIPS 180",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func digests(text: String, expected: String) {
    #expect(SHA256.digest(text.bytes) == expected.hex)
  }

  @Test("SHA-256 of a million letters")
  func longDigest() {
    let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    #expect(
      SHA256.digest(million) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0".hex)
  }

  struct Tag: Sendable {
    let key: [UInt8]
    let message: [UInt8]
    let tag: String
  }

  static let tags = [
    Tag(
      key: [UInt8](repeating: 0x0B, count: 20), message: "Hi There".bytes,
      tag: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    Tag(
      key: "Jefe".bytes, message: "what do ya want for nothing?".bytes,
      tag: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    Tag(
      key: [UInt8](repeating: 0xAA, count: 20), message: [UInt8](repeating: 0xDD, count: 50),
      tag: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    Tag(
      key: Array(1...25), message: [UInt8](repeating: 0xCD, count: 50),
      tag: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    Tag(
      key: [UInt8](repeating: 0xAA, count: 131),
      message: "Test Using Larger Than Block-Size Key - Hash Key First".bytes,
      tag: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    // Of no standard: nothing under nothing, from Python's hmac.
    Tag(key: [], message: [], tag: "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
  ]

  @Test("HMAC-SHA-256 gives the tags of RFC 4231", arguments: tags)
  func hmac(known: Tag) throws {
    let tag = try HMACSHA256.authenticate(known.message.span, key: known.key.span)
    #expect(tag == known.tag.hex)
  }

  @Test("A message in parts has the tag of the whole")
  func hmacParts() throws {
    let key = "Jefe".bytes
    let (first, second) = ("what do ya want ".bytes, "for nothing?".bytes)
    var parts = try HMACParts(key: key.span)
    try parts.add(first.span)
    try parts.add(second.span)
    var tag = [UInt8](repeating: 0, count: 32)
    var span = tag.mutableSpan
    try parts.finish(into: &span)
    #expect(tag == Self.tags[1].tag.hex)
  }

  @Test("A tag of another size than 32 bytes stops the program")
  func hmacSize() async {
    await #expect(processExitsWith: .failure) {
      var short = [UInt8](repeating: 0, count: 31)
      var span = short.mutableSpan
      let (message, key): ([UInt8], [UInt8]) = ([1], [2])
      try HMACSHA256.authenticate(message.span, key: key.span, into: &span)
    }
  }
}
