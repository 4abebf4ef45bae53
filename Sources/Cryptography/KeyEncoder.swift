// A private key as the PEM of an unencrypted PKCS#8, in locked memory from the first byte, and a public one as text.

import COpenSSL
import Secrets

extension KeyHandle {
  func pkcs8PEM() throws(CryptographyError) -> SecretBytes {
    try Cryptography.lockHeap()
    defer { ERR_clear_error() }
    let failed = CryptographyError.broken("OpenSSL could not write a private key")
    let (type, structure): (StaticString, StaticString) = ("PEM", "PrivateKeyInfo")
    let context = unsafe OSSL_ENCODER_CTX_new_for_pkey(
      pointer, mandate_key_pair, type.characters, structure.characters, nil)
    guard let context = unsafe context else { throw failed }
    defer { unsafe OSSL_ENCODER_CTX_free(context) }
    // This kind of BIO keeps its bytes in the secure heap and wipes them when it is freed.
    guard let bio = unsafe BIO_new(BIO_s_secmem()) else { throw .outOfLockedMemory }
    defer { unsafe BIO_free_all(bio) }
    guard unsafe OSSL_ENCODER_to_bio(context, bio) == 1 else { throw failed }
    var start: UnsafeMutablePointer<CChar>?
    let count = unsafe mandate_bio_bytes(bio, &start)
    guard count > 0, let start = unsafe start else { throw failed }
    var made = try lockedBytes(count)
    var target = made.mutableBytes
    unsafe target.withPointer { into, _ in
      unsafe UnsafeMutableRawPointer(into).copyMemory(from: start, byteCount: count)
    }
    return made
  }
}

/// PEM text of public bytes: 64 letters to a line.
func publicPEM(_ der: [UInt8]) -> String {
  var text = "-----BEGIN PUBLIC KEY-----\n"
  for start in stride(from: 0, to: der.count, by: 48) {
    let line = der.span.extracting(start..<min(start + 48, der.count))
    var letters = [UInt8](repeating: 0, count: 65)  // 64 and OpenSSL's closing zero.
    var span = letters.mutableSpan
    let count = unsafe line.withPointer { from, count in
      unsafe span.withPointer { into, _ in unsafe EVP_EncodeBlock(into, from, Int32(count)) }
    }
    text += String(decoding: letters.prefix(Int(count)), as: UTF8.self) + "\n"
  }
  return text + "-----END PUBLIC KEY-----\n"
}
