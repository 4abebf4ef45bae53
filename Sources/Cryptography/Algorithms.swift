// Algorithms are fetched from OpenSSL's providers once per process: a fetch takes a lock and a search, and doing it
// per call would cost more than most of the calls.

import COpenSSL

enum Algorithms {
  nonisolated(unsafe) static let sha256: OpaquePointer? = unsafe EVP_MD_fetch(nil, "SHA2-256", nil)
  nonisolated(unsafe) static let hmac: OpaquePointer? = unsafe EVP_MAC_fetch(nil, "HMAC", nil)
  nonisolated(unsafe) static let hkdf: OpaquePointer? = unsafe EVP_KDF_fetch(nil, "HKDF", nil)
  nonisolated(unsafe) static let aes128GCM: OpaquePointer? = unsafe EVP_CIPHER_fetch(nil, "AES-128-GCM", nil)
  nonisolated(unsafe) static let aes192GCM: OpaquePointer? = unsafe EVP_CIPHER_fetch(nil, "AES-192-GCM", nil)
  nonisolated(unsafe) static let aes256GCM: OpaquePointer? = unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)

  static func aesGCM(keyBytes: Int) throws(CryptographyError) -> OpaquePointer {
    let cipher =
      switch keyBytes {
      case 16: unsafe aes128GCM
      case 24: unsafe aes192GCM
      case 32: unsafe aes256GCM
      default: throw .broken("an AES key has 16, 24 or 32 bytes")
      }
    guard let cipher = unsafe cipher else { throw absent }
    return unsafe cipher
  }

  /// What every caller throws when the default provider does not have what it always has.
  static let absent = CryptographyError.broken(
    "OpenSSL does not offer an algorithm of its default provider; look for a changed openssl.cnf")
}
