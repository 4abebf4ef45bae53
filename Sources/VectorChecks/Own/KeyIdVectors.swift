// Key ids: the first 16 bytes of SHA-256 over the SPKI of a resolver's RSA key, and which SPKIs are such keys.

import Contracts
import Cryptography

enum KeyIdVectors: OwnFormat {
  static let name = "key-id-v2.1"
  static let algorithm = "mandate-v2 key id"
  static let header = [
    "spki is the DER of a public key. The fingerprint is its SHA-256, the key id the first 16 bytes of that.",
    "Keys are RSA with 2048 to 4096 bits and the exponent 65537, in the one DER that OpenSSL itself would write.",
  ]
  static let notes = [
    Note("Basic", "BASIC", "Keys of 2048, 3072 and 4096 bits."),
    Note("Encoding", "FUNCTIONALITY", "Not the DER of exactly one RSA key: one key must not have two ids."),
    Note("Parameters", "WEAK_PARAMS", "A modulus that is too small or too large, or another exponent."),
  ]
  static let groups = [
    GroupShape(
      type: "KeyId", members: [], inputs: [.init("spki", .hex)],
      valid: [.init("bits", .positiveInteger), .init("fingerprint", .hex(bytes: 32)), .init("keyId", .hex(bytes: 16))],
      invalid: [.init("reason", .word(["too-small", "too-large", "odd-exponent", "not-an-rsa-spki"]))])
  ]

  static func checker(for group: Members) throws -> (Members) throws -> Outcome { check }

  private static func check(_ test: Members) -> Outcome {
    let spki = test.bytes("spki")
    do throws(KeyLoadError) {
      let key = try RSAPublicKey(spki: spki.span)
      guard test.isValid else { return .failed("it was loaded") }
      guard key.bits == test.integer("bits"), key.fingerprint == test.bytes("fingerprint") else {
        return .failed("other bits or another fingerprint")
      }
      return .expect(key.keyId == test.bytes("keyId"), "another key id")
    } catch {
      return .expect(!test.isValid && test.text("reason") == reason(error), "refused: \(error)")
    }
  }

  private static func reason(_ error: KeyLoadError) -> String {
    switch error {
    case .tooSmall: "too-small"
    case .tooLarge: "too-large"
    case .oddExponent: "odd-exponent"
    default: "not-an-rsa-spki"
    }
  }

  // MARK: Cases

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    let good = ThrowAwayKeys.sizes.map { name, bits in
      let key = keys[name].publicKey
      return Test(
        "the test key \(name)", ["Basic"], [("spki", .hex(key.spki))],
        .valid([
          ("bits", .number(JSONNumber(bits))), ("fingerprint", .hex(key.fingerprint)), ("keyId", .hex(key.keyId)),
        ]))
    }
    return [Group(type: "KeyId", members: [], tests: good + encodings(keys["a"].publicKey.spki) + parameters())]
  }

  private static func encodings(_ spki: [UInt8]) -> [Test] {
    let wrong = "not-an-rsa-spki"
    let modulus = modulus(2048)
    return [
      refuse("nothing", "Encoding", [], wrong), refuse("a byte behind it", "Encoding", spki + [0], wrong),
      refuse("a byte too few", "Encoding", Array(spki.dropLast()), wrong),
      refuse("twice", "Encoding", spki + spki, wrong),
      refuse("the key inside alone", "Encoding", pkcs1(modulus, [1, 0, 1]), wrong),
      refuse("no parameters", "Encoding", self.spki(modulus, parameters: []), wrong),
      refuse("a modulus with a zero too many", "Encoding", self.spki([0] + modulus), wrong),
      refuse(
        "a length with a byte too many", "Encoding", [0x30, 0x83, 0x00] + spki.dropFirst(2), wrong),
      refuse(
        "an Ed25519 key", "Encoding",
        [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00] + Material.seeded("Ed25519", 32), wrong
      ),
    ]
  }

  private static func parameters() -> [Test] {
    [
      refuse("1024 bits", "Parameters", spki(modulus(1024)), "too-small"),
      refuse("2040 bits", "Parameters", spki(modulus(2040)), "too-small"),
      refuse("4104 bits", "Parameters", spki(modulus(4104)), "too-large"),
      refuse("the exponent 3", "Parameters", spki(modulus(2048), exponent: [3]), "odd-exponent"),
      refuse("the exponent 65539", "Parameters", spki(modulus(2048), exponent: [1, 0, 3]), "odd-exponent"),
    ]
  }

  private static func refuse(_ comment: String, _ flag: String, _ spki: [UInt8], _ reason: String) -> Test {
    Test(comment, [flag], [("spki", .hex(spki))], .invalid(reason: reason))
  }

  // MARK: DER, as much as these cases need; OpenSSL would not write them

  /// An odd number of that many bits; nobody needs its factors.
  private static func modulus(_ bits: Int) -> [UInt8] {
    var bytes = Material.seeded("modulus", bits / 8)
    bytes[0] |= 0x80
    bytes[bytes.count - 1] |= 1
    return [0] + bytes
  }

  private static func spki(
    _ modulus: [UInt8], exponent: [UInt8] = [1, 0, 1], parameters: [UInt8] = [0x05, 0x00]
  ) -> [UInt8] {
    let rsaEncryption: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]
    return der(0x30, der(0x30, rsaEncryption + parameters) + der(0x03, [0] + pkcs1(modulus, exponent)))
  }

  private static func pkcs1(_ modulus: [UInt8], _ exponent: [UInt8]) -> [UInt8] {
    der(0x30, der(0x02, modulus) + der(0x02, exponent))
  }

  private static func der(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    let count = content.count
    if count < 0x80 { return [tag, UInt8(count)] + content }
    if count < 0x100 { return [tag, 0x81, UInt8(count)] + content }
    return [tag, 0x82, UInt8(count >> 8), UInt8(count & 0xFF)] + content
  }
}
