// Pairs: made, named, written, read again, and proved to belong together.

import Secrets
import Testing

@testable import Cryptography

@Suite struct KeyPairTests {
  @Test("A new pair passes its own test and comes back from its file the same", arguments: RSAPrivateKey.sizes)
  func generated(bits: Int) throws {
    let key = try RSAPrivateKey.generate(bits: bits)
    let (made, publicKey) = (key.bits, key.publicKey())
    #expect(made == bits)
    try key.selfTest()
    let pem = try key.pkcs8PEM()
    let again = try RSAPrivateKey(pem: pem.bytes)
    try again.selfTest()
    let same = again.publicKey() == publicKey
    #expect(same)
    #expect(try RSAPublicKey(text: publicKey.pem()) == publicKey)
  }

  @Test("Keys of other sizes are not made", arguments: [0, 1024, 2047, 2049, 2056, 8192, -1])
  func sizes(bits: Int) {
    let error = failure { () throws(CryptographyError) in _ = try RSAPrivateKey.generate(bits: bits) }
    #expect(error == .broken("an RSA key is made with 2048, 3072 or 4096 bits"))
  }

  @Test("A key's names follow from its bytes alone")
  func names() throws {
    let key = try RSAPrivateKey(text: TestKeys.rsa2048)
    let publicKey = key.publicKey()
    #expect(publicKey.fingerprint == SHA256.digest(publicKey.spki))
    #expect(publicKey.keyId == Array(publicKey.fingerprint.prefix(16)))
    #expect(publicKey.keyIdHex.hex == publicKey.keyId)
    #expect(publicKey.keyIdHex == publicKey.keyIdHex.lowercased())
    #expect(publicKey.keyIdHex.utf8.count == 32)
    // What `openssl pkey -pubout -outform DER | sha256sum` says.
    #expect(publicKey.fingerprint == Self.fingerprint.hex)
    let other = try RSAPrivateKey(text: TestKeys.rsa3072)
    let (otherId, equal) = (other.publicKey().keyId, other.publicKey() == publicKey)
    #expect(otherId != publicKey.keyId)
    #expect(!equal)
  }

  private static let fingerprint = "749f1b554c09b0e0dd1fb9b1604180ffc4aca560b17cf7d2fa2249e03fe6cb93"

  @Test("A private key file whose halves do not belong together loads, and fails its own test")
  func mismatched() throws {
    // The modulus stands at byte 38 of the DER; one bit of it is changed.
    var pem = TestKeys.rsa2048.bytes
    let line = try #require(pem.firstIndex(of: 0x0A)) + 1
    pem[line + 70] = pem[line + 70] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
    let key = try RSAPrivateKey(pem: pem.span)
    let error = failure { () throws(CryptographyError) in try key.selfTest() }
    #expect(error == .rejected)
  }

  @Test("An Ed25519 pair comes back from its file the same")
  func ed25519() throws {
    let key = try Ed25519PrivateKey.generate()
    let pem = try key.pkcs8PEM()
    let again = try Ed25519PrivateKey(pem: pem.bytes)
    let message = "signed".bytes
    let signature = try again.sign(message.span)
    let publicText = key.publicKey().pem().bytes
    let publicKey = try Ed25519PublicKey(pem: publicText.span)
    try publicKey.verify(signature: signature.span, message: message.span)
    let same = publicKey == again.publicKey()
    #expect(same)
  }
}
