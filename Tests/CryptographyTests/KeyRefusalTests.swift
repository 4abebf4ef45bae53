// What is no key of ours is refused, and named for what it is.

import Foundation
import Secrets
import Testing

@testable import Cryptography

@Suite struct KeyRefusalTests {
  static let pem = TestKeys.rsa2048
  static let body = KeySpellingTests.body(pem)
  static let der = derOf(pem)

  struct Refused: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    let error: KeyLoadError
    var testDescription: String { name }
  }

  static let refusedPrivate: [Refused] = [
    Refused(name: "empty", text: "", error: .empty),
    Refused(name: "only spaces", text: "   \n", error: .empty),
    Refused(name: "armour only", text: "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", error: .empty),
    Refused(name: "far too long", text: String(repeating: "A", count: 65_537), error: .tooLong),
    Refused(name: "not base64", text: KeySpellingTests.relabelled("****", "PRIVATE KEY"), error: .notBase64),
    Refused(name: "four dashes", text: String(pem.dropFirst()), error: .notBase64),
    Refused(
      name: "lower case header", text: pem.replacingOccurrences(of: "BEGIN PRIVATE", with: "begin private"),
      error: .notBase64),
    Refused(name: "text before the header", text: "subject=/CN=x\n" + pem, error: .notBase64),
    Refused(name: "quoted", text: "\"\(pem)\"", error: .notBase64),
    Refused(
      name: "url-safe letters",
      text: pem.replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "+", with: "."), error: .notBase64),
    Refused(name: "padding in the middle", text: "\(body.prefix(40))=\(body.dropFirst(40))", error: .notBase64),
    Refused(name: "three signs of padding", text: body + "===", error: .notBase64),
    Refused(name: "one letter too many", text: body + "A", error: .notBase64),
    Refused(name: "a NUL byte", text: body + "\0", error: .notBase64),
    Refused(name: "a white space that is none of JavaScript's", text: body + "\u{200B}", error: .notBase64),
    Refused(name: "half a white space", text: body + "\u{2010}", error: .notBase64),
    Refused(
      name: "backslash-n", text: pem.replacingOccurrences(of: "\n", with: "\\n"), error: .escapedNewlines),
    Refused(
      name: "base64 of a PEM", text: Data(pem.utf8).base64EncodedString(), error: .base64WrappedPEM),
    Refused(name: "two keys", text: pem + TestKeys.rsa3072, error: .trailingData),
    Refused(name: "two keys, the first with padding", text: TestKeys.rsa3072 + pem, error: .trailingData),
    Refused(name: "letters behind the footer", text: pem + "AAAA\n", error: .trailingData),
    Refused(name: "a zero byte behind the DER", text: armoured(der + [0], label: "X"), error: .trailingData),
    Refused(name: "DER cut by a byte", text: armoured(der.dropLast(), label: "X"), error: .malformed),
    Refused(name: "DER without its first byte", text: armoured(Array(der.dropFirst()), label: "X"), error: .malformed),
    Refused(name: "random bytes", text: armoured([UInt8](1...200), label: "X"), error: .malformed),
    Refused(name: "one byte", text: "AA", error: .malformed),
    Refused(name: "1024 bits", text: TestKeys.rsa1024, error: .tooSmall(bits: 1024)),
    Refused(name: "5120 bits", text: TestKeys.rsa5120, error: .tooLarge(bits: 5120)),
    Refused(name: "exponent 3", text: TestKeys.rsa2048e3, error: .oddExponent),
    Refused(
      name: "the OID of RSA-PSS", text: withOID(0x0A), error: .wrongType(found: .rsaPSS, wanted: .rsa)),
    Refused(
      name: "the OID of RSA-OAEP", text: withOID(0x07), error: .wrongType(found: .rsaOAEP, wanted: .rsa)),
  ]

  /// The last byte of rsaEncryption's OID 1.2.840.113549.1.1.1 stands at byte 19 of every PKCS#8.
  static func withOID(_ last: UInt8) -> String {
    var changed = der
    precondition(changed[19] == 0x01 && changed[18] == 0x01, "the OID is somewhere else")
    changed[19] = last
    return armoured(changed, label: "PRIVATE KEY")
  }

  @Test("A text that is no private key is refused for what it is", arguments: refusedPrivate)
  func privateKey(refused: Refused) {
    let error = loadFailure { () throws(KeyLoadError) in _ = try RSAPrivateKey(text: refused.text) }
    #expect(error == refused.error)
  }

  static let publicKeys: [Refused] = {
    var refused: [Refused] = []
    for (name, pem, error) in [
      ("1024 bits", TestKeys.rsa1024, KeyLoadError.tooSmall(bits: 1024)),
      ("5120 bits", TestKeys.rsa5120, .tooLarge(bits: 5120)), ("exponent 3", TestKeys.rsa2048e3, .oddExponent),
    ] {
      refused.append(Refused(name: name, text: publicHalf(of: pem), error: error))
    }
    let spki = derOf(publicHalf(of: pem))
    refused += [
      Refused(name: "empty", text: "", error: .empty),
      Refused(name: "not base64", text: "?", error: .notBase64),
      Refused(name: "a private key", text: pem, error: .privateInsteadOfPublic),
      Refused(name: "a byte behind the DER", text: armoured(spki + [0], label: "X"), error: .trailingData),
      Refused(name: "two keys", text: publicHalf(of: pem) + publicHalf(of: pem), error: .trailingData),
      Refused(name: "DER cut by a byte", text: armoured(spki.dropLast(), label: "X"), error: .malformed),
      Refused(
        name: "a length that DER spells shorter",
        // 30 82 LL LL becomes 30 83 00 LL LL.
        text: armoured([0x30, 0x83, 0x00] + spki.dropFirst(2), label: "X"), error: .malformed),
      Refused(
        name: "base64 of a PEM", text: Data(publicHalf(of: pem).utf8).base64EncodedString(), error: .base64WrappedPEM),
    ]
    return refused
  }()

  /// Of any RSA key, also those that our own loader refuses.
  static func publicHalf(of pem: String) -> String {
    let bytes = derOf(pem)
    guard let key = KeyDecoder.pkcs8(bytes.span)?.key,
      let spki = try? key.subjectPublicKeyInfo()
    else { preconditionFailure("a test key does not decode") }
    return armoured(spki, label: "PUBLIC KEY")
  }

  @Test("A text that is no public key is refused for what it is", arguments: publicKeys)
  func publicKey(refused: Refused) {
    let error = loadFailure { () throws(KeyLoadError) in _ = try RSAPublicKey(text: refused.text) }
    #expect(error == refused.error)
  }

  @Test("A public key where the private one is wanted, and the other way round, also for Ed25519")
  func wrongHalf() throws {
    let key = try Ed25519PrivateKey.generate()
    let privatePEM = try key.pkcs8PEM()
    let publicPEM = key.publicKey().pem().bytes
    let rsaPublic = Self.publicHalf(of: Self.pem)
    let errors = [
      loadFailure { () throws(KeyLoadError) in _ = try RSAPrivateKey(text: rsaPublic) },
      loadFailure { () throws(KeyLoadError) in _ = try Ed25519PrivateKey(pem: publicPEM.span) },
      loadFailure { () throws(KeyLoadError) in _ = try Ed25519PublicKey(pem: privatePEM.bytes) },
    ]
    #expect(errors == [.publicInsteadOfPrivate, .publicInsteadOfPrivate, .privateInsteadOfPublic])
  }

  @Test("An Ed25519 key is no RSA key and an RSA key no Ed25519 key, in either half")
  func wrongKind() throws {
    let key = try Ed25519PrivateKey.generate()
    let privatePEM = try key.pkcs8PEM()
    let publicPEM = key.publicKey().pem().bytes
    let (rsa, rsaPublic) = (Self.pem.bytes, Self.publicHalf(of: Self.pem).bytes)
    let errors = [
      loadFailure { () throws(KeyLoadError) in _ = try RSAPrivateKey(pem: privatePEM.bytes) },
      loadFailure { () throws(KeyLoadError) in _ = try RSAPublicKey(pem: publicPEM.span) },
      loadFailure { () throws(KeyLoadError) in _ = try Ed25519PrivateKey(pem: rsa.span) },
      loadFailure { () throws(KeyLoadError) in _ = try Ed25519PublicKey(pem: rsaPublic.span) },
    ]
    #expect(
      errors == [
        .wrongType(found: .ed25519, wanted: .rsa), .wrongType(found: .ed25519, wanted: .rsa),
        .wrongType(found: .rsa, wanted: .ed25519), .wrongType(found: .rsa, wanted: .ed25519),
      ])
  }

  @Test("No changed byte of a public key loads as the same key, and none crashes")
  func everyByte() throws {
    let spki = derOf(Self.publicHalf(of: Self.pem))
    let original = try RSAPublicKey(spki: spki.span)
    var looked = 0
    for index in spki.indices {
      var changed = spki
      changed[index] ^= 0x01
      let same = (try? RSAPublicKey(spki: changed.span)) == original
      #expect(!same)
      looked += 1
    }
    #expect(looked == 294)
  }

  @Test("No cut and no changed byte of a private key crashes, and a cut one never loads")
  func damaged() throws {
    var loaded = 0
    for index in Self.der.indices {
      let cut = Array(Self.der.prefix(index))
      if loadFailure({ () throws(KeyLoadError) in _ = try RSAPrivateKey(pkcs8: cut.span) }) == nil { loaded += 1 }
      // Loading what is still a key is slow, and most changes leave one; the fuzzer tries the others.
      guard index % 7 == 0 || index < 40 else { continue }
      var changed = Self.der
      changed[index] ^= 0x80
      _ = loadFailure { () throws(KeyLoadError) in _ = try RSAPrivateKey(pkcs8: changed.span) }
    }
    #expect(loaded == 0)
  }
}
