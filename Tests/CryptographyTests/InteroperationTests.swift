// The real `openssl` reads what we write and writes what we read.

import Foundation
import Secrets
import Testing

@testable import Cryptography

@Suite(.enabled(if: OpenSSLTool.isHere, "needs the openssl command")) struct InteroperationTests {
  let message = "thirty-two bytes of mission key.".bytes
  let label = "frame of claims".bytes

  private func options(_ label: [UInt8], hash: String = "sha256", mgf: String = "sha256") -> String {
    "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:\(hash) -pkeyopt rsa_mgf1_md:\(mgf)"
      + (label.isEmpty ? "" : " -pkeyopt rsa_oaep_label:\(lowerHex(label))")
  }

  @Test("What openssl seals opens here, and only under its own label", arguments: RSATests.keys)
  func theirs(bits: Int, pem: String) throws {
    let tool = try OpenSSLTool()
    let key = try RSAPrivateKey(text: pem)
    try tool.write(key.publicKey().pem(), to: "public.pem")
    try tool.write(message, to: "message")
    for label in [[], label] {
      try tool.run("openssl pkeyutl -encrypt -pubin -inkey public.pem \(options(label)) -in message -out sealed")
      let sealed = try tool.read("sealed")
      let opened = try key.open(sealed, label: label)
      #expect(opened == message)
      let refusal = key.refusal(sealed, label: label + [1])
      #expect(refusal == .rejected)
    }
  }

  @Test("What is sealed here opens with openssl, and only under its own label", arguments: RSATests.keys)
  func ours(bits: Int, pem: String) throws {
    let tool = try OpenSSLTool()
    let key = try RSAPrivateKey(text: pem)
    try tool.write(pem, to: "private.pem")
    for label in [[], label] {
      try tool.write(try key.publicKey().seal(message, label: label), to: "sealed")
      try tool.run("openssl pkeyutl -decrypt -inkey private.pem \(options(label)) -in sealed -out opened")
      #expect(try tool.read("opened") == message)
      #expect(tool.fails("openssl pkeyutl -decrypt -inkey private.pem \(options(label + [1])) -in sealed -out x"))
    }
  }

  @Test("Both agree on the hashes that other libraries lack", arguments: [OAEPHash.sha512_224, .sha512_256])
  func truncatedHashes(hash: OAEPHash) throws {
    let tool = try OpenSSLTool()
    let name = hash == .sha512_224 ? "sha512-224" : "sha512-256"
    let key = try RSAPrivateKey(text: TestKeys.rsa2048)
    try tool.write(TestKeys.rsa2048, to: "private.pem")
    try tool.write(try key.publicKey().seal(message, label: label, hash: hash, mgf: hash), to: "sealed")
    let options = options(label, hash: name, mgf: name)
    try tool.run("openssl pkeyutl -decrypt -inkey private.pem \(options) -in sealed -out opened")
    #expect(try tool.read("opened") == message)
  }

  @Test("openssl checks and reads the key files that are made here", arguments: RSAPrivateKey.sizes)
  func ourFiles(bits: Int) throws {
    let tool = try OpenSSLTool()
    let key = try RSAPrivateKey.generate(bits: bits)
    let pem = try key.pkcs8PEM()
    try tool.write(copied(pem.bytes), to: "private.pem")
    try tool.write(key.publicKey().pem(), to: "public.pem")
    try tool.run("openssl pkey -in private.pem -check -noout")
    try tool.run("openssl pkey -in private.pem -pubout -out derived.pem && cmp derived.pem public.pem")
    // Byte for byte what openssl would write itself.
    try tool.run("openssl pkey -in private.pem -out again.pem && cmp again.pem private.pem")
    try tool.run("openssl pkey -pubin -in public.pem -outform DER -out public.der")
    #expect(try tool.read("public.der") == key.publicKey().spki)
  }

  @Test("Key files that openssl makes load here", arguments: RSAPrivateKey.sizes)
  func theirFiles(bits: Int) throws {
    let tool = try OpenSSLTool()
    try tool.run("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:\(bits) -out private.pem")
    try tool.run("openssl pkey -in private.pem -pubout -out public.pem")
    try tool.run("openssl pkcs8 -topk8 -nocrypt -in private.pem -outform DER -out private.der")
    let key = try RSAPrivateKey(text: try tool.text("private.pem"))
    try key.selfTest()
    let publicKey = try RSAPublicKey(text: try tool.text("public.pem"))
    let der = try tool.read("private.der")
    let fromDER = try RSAPrivateKey(pkcs8: der.span)
    let same = key.publicKey() == publicKey && fromDER.publicKey() == publicKey
    #expect(same)
  }

  @Test("Ed25519 files and signatures go both ways")
  func ed25519() throws {
    let tool = try OpenSSLTool()
    try tool.write(message, to: "message")
    try tool.run("openssl genpkey -algorithm ed25519 -out theirs.pem")
    try tool.run("openssl pkeyutl -sign -rawin -inkey theirs.pem -in message -out signature")
    let (theirText, signature) = (try tool.read("theirs.pem"), try tool.read("signature"))
    let theirs = try Ed25519PrivateKey(pem: theirText.span)
    try theirs.publicKey().verify(signature: signature.span, message: message.span)
    #expect(try theirs.sign(message.span) == signature)

    let ours = try Ed25519PrivateKey.generate()
    try tool.write(ours.publicKey().pem(), to: "ours.pem")
    try tool.write(try ours.sign(message.span), to: "ours.signature")
    let verify = "openssl pkeyutl -verify -rawin -pubin -inkey ours.pem -sigfile ours.signature"
    try tool.run("\(verify) -in message")
    #expect(tool.fails("\(verify) -in ours.pem"))
    let pem = try ours.pkcs8PEM()
    try tool.write(copied(pem.bytes), to: "ours.private.pem")
    try tool.run("openssl pkey -in ours.private.pem -out again.pem && cmp again.pem ours.private.pem")
  }
}
