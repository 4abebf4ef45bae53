// Documents of keys: which keys are taken, and which documents are refused.

import Contracts
import Cryptography
import Foundation
import ServiceRuntime
import Testing

@testable import Identity

@Suite("A document of keys")
struct KeySetTests {
  private func keys(_ document: String) throws -> KeySet {
    let bytes = Array(document.utf8)
    return try KeySet(parsing: bytes.span)
  }

  @Test("Keys of other types and for other uses are passed over")
  func others() throws {
    let good = try Signer("good")
    let x = good.x
    let others = [
      #"{"kty":"RSA","kid":"r","n":"AQAB","e":"AQAB","alg":"RS256"}"#,
      #"{"kty":"EC","crv":"P-256","kid":"e","x":"\#(x)","y":"\#(x)"}"#,
      #"{"kty":"OKP","crv":"X25519","kid":"x","x":"\#(x)"}"#, #"{"kty":"OKP","crv":"Ed448","kid":"y","x":"\#(x)"}"#,
      #"{"kty":"oct","kid":"o","k":"\#(x)"}"#, #"{"kty":"OKP","kid":"c","x":"\#(x)"}"#,
      #"{"kty":"OKP","crv":"Ed25519","x":"\#(x)"}"#, #"{"kty":"OKP","crv":"Ed25519","kid":1,"x":"\#(x)"}"#,
      #"{"kty":"OKP","crv":"Ed25519","kid":"","x":"\#(x)"}"#,
      #"{"kty":"OKP","crv":"Ed25519","kid":"u","x":"\#(x)","use":"enc"}"#,
      #"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"\#(x)","alg":"HS256"}"#,
      #"{"kty":"OKP","crv":"Ed25519","kid":"p","x":"\#(x)","key_ops":["sign"]}"#,
      #"{"kty":"OKP","crv":"Ed25519","kid":"d","x":"\#(x)","d":"\#(x)"}"#,
      #"{"kty":"OKP","crv":"Ed25519","kid":"l","x":"\#(x)AA"}"#, #"{"kty":"OKP","crv":"Ed25519","kid":"s","x":"AAAA"}"#,
      #"{"kty":"OKP","crv":"Ed25519","kid":"q","x":"\#(x)="}"#, #"{"kty":"OKP","crv":"Ed25519","kid":"n"}"#,
      "null", "1", "[]", #""x""#,
    ]
    for other in others { #expect(try keys(keySet(other)).count == 0, "\(other)") }
    let all = try keys(#"{"keys":[\#((others + [good.jwk]).joined(separator: ","))]}"#)
    #expect(all.count == 1)
    #expect(all.key("good") != nil)
    let full = #"{"kty":"OKP","crv":"Ed25519","kid":"f","x":"\#(x)","use":"sig","alg":"EdDSA","key_ops":["verify"]}"#
    #expect(try keys(keySet(full)).count == 1)
  }

  @Test("Two keys under one id are nobody's; the same key twice is one")
  func twice() throws {
    let (one, other) = (try Signer("k"), try Signer("k"))
    #expect(try keys(keySet(one.jwk, other.jwk)).count == 0)
    #expect(try keys(keySet(one.jwk, other.jwk, one.jwk)).count == 0)
    #expect(try keys(keySet(one.jwk, one.jwk)).count == 1)
  }

  @Test("A document that is too long, too full, or none is refused")
  func documents() throws {
    for text in ["", "[]", "{}", #"{"keys":{}}"#, #"{"keys":null}"#, "{", #"{"keys":[],"keys":[]}"#] {
      #expect(throws: KeySetProblem.malformed) { try keys(text) }
    }
    let space = String(repeating: " ", count: KeySet.longestDocument)
    #expect(throws: KeySetProblem.tooLong) { try keys(keySet() + space) }
    let full = Array(repeating: "{}", count: 64).joined(separator: ",")
    #expect(try keys("{\"keys\":[\(full)]}").count == 0)
    #expect(throws: KeySetProblem.tooManyKeys) { try keys("{\"keys\":[\(full),{}]}") }
  }

  @Test("A key of small order, for which anybody can sign, is not taken, in any of its spellings")
  func smallOrder() throws {
    let spellings = try [
      "00", "01", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ].map { try #require(Hex.decode($0.padding(toLength: 64, withPad: "0", startingAt: 0))) }
    var forged = 0
    for spelling in spellings {
      for sign in [UInt8(0), 0x80] {
        var raw = spelling
        raw[31] |= sign
        #expect(VerificationKey(raw: raw) == nil)
        if try isForgeable(raw) { forged += 1 }
      }
    }
    // It is no idle rule: OpenSSL takes such keys, and a signature by nobody holds under most of them.
    #expect(forged >= 5)
    for _ in 1...100 { #expect(VerificationKey(raw: try Signer("k").raw) != nil) }
  }

  /// R is the neutral point and S is zero: with a key of order n this holds for one message in n.
  private func isForgeable(_ raw: [UInt8]) throws -> Bool {
    let key = try Ed25519PublicKey(raw: raw.span)
    let signature = [1] + [UInt8](repeating: 0, count: 63)
    return (0..<200).contains { number in
      let message = Array("\(number)".utf8)
      do {
        try key.verify(signature: signature.span, message: message.span)
        return true
      } catch {
        return false
      }
    }
  }

  @Test("A point that is not on the curve verifies nothing")
  func offCurve() throws {
    let raw = [2] + [UInt8](repeating: 0, count: 31)
    let signature = [1] + [UInt8](repeating: 0, count: 63)
    #expect(VerificationKey(raw: raw)?.verifies(signature, of: []) != true)
  }

  // MARK: In a file

  @Test("A file is read, read again when told, and kept if the new one will not do")
  func file() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mandate-keys-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { do { try FileManager.default.removeItem(at: folder) } catch { Issue.record(error) } }
    let path = folder.appending(path: "jwks.json").path
    func write(_ text: String, mode: Int = 0o644) throws {
      try Data(text.utf8).write(to: URL(filePath: path))
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }
    #expect(throws: KeySetFile.Problem.file(.missing)) { try KeySetFile(path) }
    let (one, other) = (try Signer("one"), try Signer("other"))
    try write(keySet(one.jwk))
    let file = try KeySetFile(path)
    let judge = Judge(file)
    #expect(await judge.verdict(try one.token()) == "user-1")
    #expect(await judge.verdict(try other.token()) == "unknown-key")
    try write(keySet(other.jwk))
    #expect(await judge.verdict(try one.token()) == "user-1")
    try file.reload()
    #expect(await judge.verdict(try one.token()) == "unknown-key")
    #expect(await judge.verdict(try other.token()) == "user-1")
    try write("nonsense")
    #expect(throws: KeySetFile.Problem.document(.malformed)) { try file.reload() }
    try write(keySet())
    #expect(throws: KeySetFile.Problem.noKeys) { try file.reload() }
    try write(keySet(one.jwk), mode: 0o666)
    #expect(throws: KeySetFile.Problem.file(.writableByOthers(mode: "0666"))) { try file.reload() }
    #expect(await judge.verdict(try other.token()) == "user-1")
  }
}
