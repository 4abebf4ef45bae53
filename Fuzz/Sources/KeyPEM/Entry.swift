// Key files: what is loaded, written out and loaded again is the same key; no text is a private and a public key.

import Cryptography
import Harness
import Secrets

/// An input is the text of a key file, or, behind a first byte 0 or 1, the DER of a public or a private key, which a
/// mutation changes less wildly than its base64.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe withInput(start, count) { input in
    switch input.isEmpty ? nil : input[0] {
    case 0: if let key = publicKey(der: input.extracting(droppingFirst: 1)) { look(key) }
    case 1: privateDER(input.extracting(droppingFirst: 1))
    default: text(input)
    }
  }
}

private func text(_ text: Span<UInt8>) {
  let found = publicKey(pem: text)
  if let found { look(found) }
  do throws(KeyLoadError) {
    let key = try RSAPrivateKey(pem: text)
    demand(found == nil, "no text is both halves")
    look(key)
  } catch { look(error) }
}

private func publicKey(pem: Span<UInt8>) -> RSAPublicKey? {
  do throws(KeyLoadError) { return try RSAPublicKey(pem: pem) } catch { look(error) }
  return nil
}

private func publicKey(der: Span<UInt8>) -> RSAPublicKey? {
  do throws(KeyLoadError) { return try RSAPublicKey(spki: der) } catch { look(error) }
  return nil
}

private func privateDER(_ der: Span<UInt8>) {
  do throws(KeyLoadError) { look(try RSAPrivateKey(pkcs8: der)) } catch { look(error) }
}

private func look(_ key: RSAPublicKey) {
  demand((2048...4096).contains(key.bits), "a key has the sizes we accept")
  demandRoundTrip(key.spki, written: Array(key.pem().utf8), "what is written is the same public key") { text in
    publicKey(pem: text)?.spki
  }
  demandRoundTrip(key.spki, written: key.spki, "the DER is the same public key") { publicKey(der: $0)?.spki }
  let again = publicKey(der: key.spki.span)
  demand(again?.fingerprint == key.fingerprint && again?.keyIdHex == key.keyIdHex, "a key keeps its name")
  demand(key.keyIdHex.utf8.count == 32, "a key id is 32 characters")
}

private func look(_ key: borrowing RSAPrivateKey) {
  let half = key.publicKey()
  look(half)
  guard let pem = try? key.pkcs8PEM() else { return demand(false, "what was loaded can be written") }
  guard let again = try? RSAPrivateKey(pem: pem.bytes) else { return demand(false, "what is written is loaded") }
  demand(again.publicKey() == half, "what is written is the same private key")
  guard let pemAgain = try? again.pkcs8PEM() else { return demand(false, "… and can be written") }
  demand(pem.equals(pemAgain), "… with the same bytes")
}

/// Every refusal is one with advice; the door itself must not fail, however broken the key is.
private func look(_ error: KeyLoadError) {
  if case .door = error { demand(false, "a broken key breaks nothing of ours") }
  demand(!error.advice.isEmpty, "a refusal says what to do")
}
