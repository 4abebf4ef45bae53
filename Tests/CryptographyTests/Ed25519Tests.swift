// Ed25519 against RFC 8032, and what a signature does not cover.

import Secrets
import Testing

@testable import Cryptography

@Suite struct Ed25519Tests {
  struct Known: Sendable {
    let seed, publicKey, message, signature: String
  }

  /// Tests 1, 2 and 3 of RFC 8032, section 7.1.
  static let standard = [
    Known(
      seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", message: "",
      signature: """
        e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
        5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
        """),
    Known(
      seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", message: "72",
      signature: """
        92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
        085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
        """),
    Known(
      seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", message: "af82",
      signature: """
        6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
        18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
        """),
  ]

  @Test("The tests of RFC 8032", arguments: standard)
  func known(known: Known) throws {
    let (seed, raw, message) = (known.seed.hex, known.publicKey.hex, known.message.hex)
    let key = try Ed25519PrivateKey(raw: seed.span)
    let signature = try key.sign(message.span)
    #expect(signature == known.signature.hex)
    let publicRaw = key.publicKey().raw
    #expect(publicRaw == raw)
    let publicKey = try Ed25519PublicKey(raw: raw.span)
    try publicKey.verify(signature: signature.span, message: message.span)
    let spki = publicKey.spki
    #expect(try Ed25519PublicKey(spki: spki.span) == publicKey)
  }

  @Test("Every changed bit of a signature is refused, and so is another message or another key")
  func refused() throws {
    let known = Self.standard[2]
    let (raw, message, signature) = (known.publicKey.hex, known.message.hex, known.signature.hex)
    let key = try Ed25519PublicKey(raw: raw.span)
    func refuses(_ signature: [UInt8], _ message: [UInt8], by key: Ed25519PublicKey) -> Bool {
      failure { () throws(CryptographyError) in
        try key.verify(signature: signature.span, message: message.span)
      } == .rejected
    }
    var refused = 0
    for bit in 0..<512 {
      var changed = signature
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      if refuses(changed, message, by: key) { refused += 1 }
    }
    #expect(refused == 512)
    #expect(refuses(signature, message + [0], by: key))
    #expect(refuses(signature, [], by: key))
    #expect(refuses(Array(signature.dropLast()), message, by: key))
    #expect(refuses(signature + [0], message, by: key))
    #expect(refuses([], message, by: key))
    let otherRaw = Self.standard[0].publicKey.hex
    let other = try Ed25519PublicKey(raw: otherRaw.span)
    #expect(refuses(signature, message, by: other))
    #expect(!refuses(signature, message, by: key))
  }

  @Test("A seed or a public key of another size than 32 bytes is malformed", arguments: [0, 31, 33, 64])
  func sizes(count: Int) {
    let bytes = [UInt8](repeating: 1, count: count)
    let errors = [
      loadFailure { () throws(KeyLoadError) in _ = try Ed25519PrivateKey(raw: bytes.span) },
      loadFailure { () throws(KeyLoadError) in _ = try Ed25519PublicKey(raw: bytes.span) },
    ]
    #expect(errors == [.malformed, .malformed])
  }
}
