// The vault's promises to whoever stands outside: a wrap opens for its own user under its own key and nowhere else, and
// a master key is seen by nobody but its owner.

import Contracts
import Cryptography
import Grants
import Secrets
import Testing

@testable import Vault

private func text(_ bytes: [UInt8]) -> [UInt8] { Array(Base64.encode(bytes.span).utf8) }
private let first = text([UInt8](1...32))
private let second = text([UInt8](33...64))
private let anna = Identifier("anna")

private func ring(_ current: [UInt8] = first, former: [UInt8]? = nil, envV1: Bool = true) throws -> KeyEncryptionKeys {
  let keys = try KeyEncryptionKeys(current: current.span, readsEnvironmentWraps: envV1)
  return try former.map { try keys.adding(former: $0.span) } ?? keys
}

/// Runs the closure and says how it failed.
private func failure<Value: ~Copyable>(_ body: () throws(VaultFailure) -> Value) -> VaultFailure? {
  do throws(VaultFailure) {
    _ = try body()
    return nil
  } catch { return error }
}

@Suite struct VaultTests {
  @Test("A new key is wrapped under the current key's name, and the handout is the same key")
  func newKey() throws {
    let vault = Vault(try ring())
    let new = try vault.makeKey(for: anna)
    #expect(new.wrapped.keyId == vault.currentKeyId && new.wrapped.keyId.wholeMatch(of: /v2:[0-9a-f]{8}/) != nil)
    let (wrapped, check) = (new.wrapped, new.check)
    let body = new.intoHandout().intoBody()
    let once = try JSONValue(parsing: body.bytes)
    let again = try JSONValue(parsing: try vault.handOut(wrapped, to: anna, formatVersion: 1).intoBody().bytes)
    #expect(once == again && once["masterKey"]?.text?.utf8.count == 44)
    #expect(try vault.check(of: wrapped, of: anna) == check && check.count == 32)
    let other = try vault.makeKey(for: anna)
    #expect(other.check != check)
  }

  @Test("A wrap opens for its own user, under its own name and key alone; every changed byte refuses it")
  func bound() throws {
    let vault = Vault(try ring(former: second))
    let wrapped = try vault.makeKey(for: anna).wrapped
    #expect(failure { () throws(VaultFailure) in try vault.check(of: wrapped, of: Identifier("bert")) } == .unopenable)
    let foreign = Vault(try ring(second))
    #expect(failure { () throws(VaultFailure) in try foreign.check(of: wrapped, of: anna) } == .unopenable)
    for id in ["env-v1", "v2:00000000", "", try ring(second).currentId] {
      let renamed = WrappedMasterKey(ciphertext: wrapped.ciphertext, iv: wrapped.iv, keyId: id)
      #expect(failure { () throws(VaultFailure) in try vault.check(of: renamed, of: anna) } == .unopenable, "\(id)")
    }
    let stored = Array(wrapped.ciphertext.utf8)
    let bytes = Base64.decodeStrict(stored.span) ?? []
    #expect(bytes.count == 48)
    for place in bytes.indices {
      var changed = bytes
      changed[place] ^= 1
      let edited = WrappedMasterKey(ciphertext: Base64.encode(changed.span), iv: wrapped.iv, keyId: wrapped.keyId)
      #expect(failure { () throws(VaultFailure) in try vault.check(of: edited, of: anna) } == .unopenable)
    }
    for iv in ["", "AAAA", "not base64", wrapped.iv + "AAAA"] {
      let edited = WrappedMasterKey(ciphertext: wrapped.ciphertext, iv: iv, keyId: wrapped.keyId)
      #expect(failure { () throws(VaultFailure) in try vault.check(of: edited, of: anna) } == .unopenable)
    }
  }

  @Test("A former key opens what it wrapped and never wraps")
  func formerKeys() throws {
    let wrapped = try Vault(try ring(second)).makeKey(for: anna).wrapped
    let vault = Vault(try ring(first, former: second))
    #expect(failure { () throws(VaultFailure) in try vault.check(of: wrapped, of: anna) } == nil)
    #expect(try vault.makeKey(for: anna).wrapped.keyId == ring(first).currentId)
  }

  @Test("A row of the seeds opens without AAD while its switch is on, under whichever key it was")
  func environmentWraps() throws {
    let (kek, iv, master) = ([UInt8](33...64), [UInt8](repeating: 5, count: 12), [UInt8](100..<132))
    var cipher = try AESGCM()
    let sealed = try cipher.seal(master.span, key: kek.span, iv: iv.span, aad: Span<UInt8>())
    // The seeds' base64, and the same as a hand may have mangled it.
    for spelling in [Base64.encode(sealed.span), " " + Base64.encode(sealed.span) + "\n"] {
      let wrapped = WrappedMasterKey(ciphertext: spelling, iv: Base64.encode(iv.span), keyId: "env-v1")
      for keys in [try ring(second), try ring(first, former: second)] {
        let reply = try JSONValue(
          parsing: try Vault(keys).handOut(wrapped, to: anna, formatVersion: 3).intoBody().bytes)
        #expect(reply["masterKey"]?.text == Base64.encode(master.span))
        #expect(reply["kekId"] == .string("env-v1") && reply["formatVersion"]?.number?.integer == 3)
      }
      let off = Vault(try ring(second, envV1: false))
      #expect(failure { () throws(VaultFailure) in try off.check(of: wrapped, of: anna) } == .unopenable)
      let without = Vault(try ring(first))
      #expect(failure { () throws(VaultFailure) in try without.check(of: wrapped, of: anna) } == .unopenable)
    }
  }

  @Test("A key is taken back by its check value, of its own user alone")
  func takesBack() throws {
    let vault = Vault(try ring())
    let new = try vault.makeKey(for: anna)
    let check = new.check
    let body = new.intoHandout().intoBody()
    let handout = try JSONValue(parsing: body.bytes)
    let base64 = Array(try #require(handout["masterKey"]?.text).utf8)
    let supplied = try SuppliedKey(base64: base64.span)
    let wrapped = try vault.takeBack(supplied, of: anna, check: check)
    let again = try JSONValue(parsing: try vault.handOut(wrapped, to: anna, formatVersion: 1).intoBody().bytes)
    #expect(again == handout)
    #expect(
      failure { () throws(VaultFailure) in try vault.takeBack(supplied, of: Identifier("bert"), check: check) }
        == .notTheKey)
    #expect(
      failure { () throws(VaultFailure) in try vault.takeBack(supplied, of: anna, check: Array(check.dropLast())) }
        == .notTheKey)
    let wrong = text([UInt8](repeating: 1, count: 32))
    let other = try SuppliedKey(base64: wrong.span)
    #expect(failure { () throws(VaultFailure) in try vault.takeBack(other, of: anna, check: check) } == .notTheKey)
  }

  @Test("A key encryption key is 32 bytes that are not all zero, and no key stands twice")
  func keyProblems() throws {
    func problem(_ current: String, former: String? = nil) -> KeyEncryptionKeys.Problem? {
      do throws(KeyEncryptionKeys.Problem) {
        let (first, others) = (Array(current.utf8), Array((former ?? "").utf8))
        let keys = try KeyEncryptionKeys(current: first.span)
        if former != nil { _ = try keys.adding(former: others.span) }
        return nil
      } catch { return error }
    }
    let (one, two) = (String(decoding: first, as: UTF8.self), String(decoding: second, as: UTF8.self))
    #expect(
      problem(one) == nil && problem(" \(one.dropLast())\n") == nil && problem(one, former: "\(two), \(text7)") == nil)
    #expect(problem("!") == .notBase64 && problem("AAAA") == .wrongLength(3) && problem("") == .wrongLength(0))
    #expect(problem(String(repeating: "A", count: 43) + "=") == .zeroes)
    #expect(problem(one, former: one) == .repeated && problem(one, former: "\(two),\(two)") == .repeated)
    #expect(problem(one, former: "\(two),") == .wrongLength(0))
  }

  @Test("The decoder for keys and the one for ciphertext agree on every text")
  func base64() throws {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("AQgwYZaz09+/= \n\t\u{0B}-_é".utf8)
    var decoded = 0
    for round in 0..<20_000 {
      let length = Int.random(in: 0...(round.isMultiple(of: 2) ? 9 : 50), using: &generator)
      let pool = round.isMultiple(of: 3) ? alphabet : Array("ABCDwxyz0189+/".utf8)
      let characters = (0..<length).map { _ in pool[Int.random(in: 0..<pool.count, using: &generator)] }
      let expected = Base64.decodeForgiving(characters.span)
      let secret = try SecretBase64.decodeForgiving(characters.span)
      let isEqual: Bool
      if let secret { isEqual = expected.map { secret.equals($0.span) } ?? false } else { isEqual = expected == nil }
      #expect(isEqual, "\(characters)")
      decoded += expected == nil ? 0 : 1
    }
    for byte in UInt8.min...UInt8.max {
      let characters = [byte, 0x41, 0x41, 0x41]
      let isDecoded = try SecretBase64.decodeForgiving(characters.span) != nil
      #expect(isDecoded == (Base64.decodeForgiving(characters.span) != nil), "\(byte)")
    }
    #expect(decoded > 1_000)
  }

  private var text7: String { String(decoding: text([UInt8](repeating: 7, count: 32)), as: UTF8.self) }
}
