// The advice for a refused key is followed to the letter here, and what it makes must load.

import Foundation
import Secrets
import Testing

@testable import Cryptography

@Suite(.enabled(if: OpenSSLTool.isHere, "needs the openssl command")) struct KeyAdviceTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// Makes `key.pem` out of `good.pem`.
    let make: String
    let error: KeyLoadError
    /// The half that is wanted, and the file in which the advised command leaves it, if there is one.
    var half = KeyHandle.Form.privateKey
    var result: String?
    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(
      name: "PKCS#1", make: "openssl rsa -in good.pem -traditional -out key.pem", error: .pkcs1, result: "private.pem"),
    Case(
      name: "PKCS#1 under the label of PKCS#8",
      make: "openssl rsa -in good.pem -traditional | sed 's/RSA PRIVATE/PRIVATE/' > key.pem", error: .pkcs1),
    Case(
      name: "encrypted", make: "openssl pkcs8 -topk8 -in good.pem -passout pass:x -out key.pem", error: .encrypted,
      result: "private.pem"),
    Case(
      name: "encrypted the old way", make: "openssl rsa -in good.pem -traditional -aes128 -passout pass:x -out key.pem",
      error: .notBase64, result: "fixed.pem"),
    Case(name: "a public key", make: "openssl pkey -in good.pem -pubout -out key.pem", error: .publicInsteadOfPrivate),
    Case(
      name: "a public key as PKCS#1", make: "openssl rsa -in good.pem -RSAPublicKey_out -out key.pem",
      error: .publicInsteadOfPrivate),
    Case(
      name: "a certificate", make: "openssl req -x509 -new -key good.pem -subj /CN=x -out key.pem",
      error: .publicInsteadOfPrivate),
    Case(
      name: "an elliptic curve", make: "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem",
      error: .wrongType(found: .ellipticCurve, wanted: .rsa)),
    Case(
      name: "an elliptic curve as SEC 1", make: "openssl ecparam -name prime256v1 -genkey -noout -out key.pem",
      error: .wrongType(found: .ellipticCurve, wanted: .rsa)),
    Case(
      name: "Ed25519", make: "openssl genpkey -algorithm ed25519 -out key.pem",
      error: .wrongType(found: .ed25519, wanted: .rsa)),
    Case(
      name: "X25519", make: "openssl genpkey -algorithm x25519 -out key.pem",
      error: .wrongType(found: .other, wanted: .rsa)),
    Case(
      name: "RSA-PSS", make: "openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out key.pem",
      error: .wrongType(found: .rsaPSS, wanted: .rsa)),
    Case(
      name: "base64 of a PEM", make: "openssl base64 -A -in good.pem -out key.pem", error: .base64WrappedPEM,
      result: "fixed.pem"),
    Case(
      name: "base64 of a PEM, in lines", make: "openssl base64 -in good.pem -out key.pem", error: .base64WrappedPEM,
      result: "fixed.pem"),
    Case(
      name: "backslash-n", make: #"sed -z 's/\n/\\n/g' good.pem > key.pem"#, error: .escapedNewlines,
      result: "fixed.pem"),
    Case(name: "two keys", make: "cat good.pem good.pem > key.pem", error: .trailingData, result: "fixed.pem"),
    Case(
      name: "text before the header", make: "(echo subject=x; cat good.pem) > key.pem", error: .notBase64,
      result: "fixed.pem"),
    Case(
      name: "a private key for the public half", make: "cp good.pem key.pem", error: .privateInsteadOfPublic,
      half: .publicKey, result: "public.pem"),
    Case(
      name: "a private key as PKCS#1 for the public half", make: "openssl rsa -in good.pem -traditional -out key.pem",
      error: .privateInsteadOfPublic, half: .publicKey, result: "public.pem"),
    Case(
      name: "an encrypted private key for the public half",
      make: "openssl pkcs8 -topk8 -in good.pem -passout pass:x -out key.pem", error: .privateInsteadOfPublic,
      half: .publicKey, result: "public.pem"),
    Case(
      name: "a public key as PKCS#1 for the public half",
      make: "openssl rsa -in good.pem -RSAPublicKey_out -out key.pem",
      error: .pkcs1Public, half: .publicKey, result: "public.pem"),
    Case(
      name: "a certificate for the public half", make: "openssl req -x509 -new -key good.pem -subj /CN=x -out key.pem",
      error: .wrongType(found: .certificate, wanted: .rsa), half: .publicKey, result: "public.pem"),
    Case(
      name: "two public keys", make: "openssl pkey -in good.pem -pubout -out p; cat p p > key.pem",
      error: .trailingData,
      half: .publicKey, result: "fixed.pem"),
  ]

  @Test("A key of the wrong kind is named, and the command that is advised repairs it", arguments: cases)
  func advice(wrong: Case) throws {
    let tool = try OpenSSLTool()
    try tool.write(TestKeys.rsa2048, to: "good.pem")
    try tool.run(wrong.make)
    let error = Self.load(try tool.text("key.pem"), wrong.half)
    #expect(error == wrong.error)
    guard let result = wrong.result, let error else { return }
    #expect(Self.load(try tool.text("key.pem"), wrong.half)?.advice.contains(error.command) == true)
    // openssl asks for a passphrase on the terminal; here it finds one in its arguments.
    let passphrase =
      wrong.make.contains("pass:x")
      ? error.command.replacing("pkey -in", with: "pkey -passin pass:x -in") : error.command
    try tool.run(passphrase)
    let repaired = Self.load(try tool.text(result), wrong.half)
    #expect(repaired == nil)
    if wrong.half == .privateKey { #expect(try tool.mode(of: result) == 0o600) }
  }

  private static func load(_ text: String, _ half: KeyHandle.Form) -> KeyLoadError? {
    loadFailure { () throws(KeyLoadError) in
      switch half {
      case .privateKey: _ = try RSAPrivateKey(text: text)
      case .publicKey: _ = try RSAPublicKey(text: text)
      }
    }
  }
}

@Suite struct KeyAdviceTextTests {
  static let everyError: [KeyLoadError] =
    [
      .empty, .tooLong, .notBase64, .escapedNewlines, .base64WrappedPEM, .trailingData, .malformed, .pkcs1,
      .pkcs1Public, .encrypted, .publicInsteadOfPrivate, .privateInsteadOfPublic, .tooSmall(bits: 1024),
      .tooLarge(bits: 8192), .oddExponent, .door(.outOfLockedMemory), .door(.broken("x")),
    ]
    + [KeyKind.rsaPSS, .rsaOAEP, .ed25519, .ellipticCurve, .certificate, .other].map {
      .wrongType(found: $0, wanted: .rsa)
    } + [.wrongType(found: .rsa, wanted: .ed25519)]

  @Test("Every error has a sentence of its own, a command, and says both when it is printed", arguments: everyError)
  func complete(error: KeyLoadError) {
    #expect(error.sentence.hasSuffix("."))
    #expect(!error.command.isEmpty)
    #expect("\(error)" == "\(error.sentence) Run: \(error.command)")
    #expect(Self.everyError.filter { $0.sentence == error.sentence }.count == 1)
  }

  @Test("Errors of the door compare and print without data")
  func doorErrors() {
    let errors: [CryptographyError] = [.rejected, .outOfLockedMemory, .tooLong, .broken("one"), .broken("two")]
    for (index, left) in errors.enumerated() {
      for (other, right) in errors.enumerated() { #expect((left == right) == (index == other)) }
    }
    #expect(Set(errors.map(\.description)).count == 5)
    #expect(CryptographyError.broken("one") == .broken("one"))
  }
}
