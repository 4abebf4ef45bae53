// Algorithms are fetched from OpenSSL's providers once per process: a fetch takes a lock and a search, and doing it
// per call would cost more than most of the calls.

import COpenSSL

enum Algorithms {
  nonisolated(unsafe) static let sha256: OpaquePointer? = unsafe EVP_MD_fetch(nil, "SHA2-256", nil)
  nonisolated(unsafe) static let hmac: OpaquePointer? = unsafe EVP_MAC_fetch(nil, "HMAC", nil)
  nonisolated(unsafe) static let hkdf: OpaquePointer? = unsafe EVP_KDF_fetch(nil, "HKDF", nil)

  nonisolated(unsafe) private static let gcm128: OpaquePointer? = unsafe EVP_CIPHER_fetch(nil, "AES-128-GCM", nil)
  nonisolated(unsafe) private static let gcm192: OpaquePointer? = unsafe EVP_CIPHER_fetch(nil, "AES-192-GCM", nil)
  nonisolated(unsafe) private static let gcm256: OpaquePointer? = unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)
  nonisolated(unsafe) private static let ctr128: OpaquePointer? = unsafe EVP_CIPHER_fetch(nil, "AES-128-CTR", nil)
  nonisolated(unsafe) private static let ctr192: OpaquePointer? = unsafe EVP_CIPHER_fetch(nil, "AES-192-CTR", nil)
  nonisolated(unsafe) private static let ctr256: OpaquePointer? = unsafe EVP_CIPHER_fetch(nil, "AES-256-CTR", nil)

  static func aesGCM(keyBytes: Int) throws(CryptographyError) -> OpaquePointer {
    switch keyBytes {
    case 16: try unsafe present(gcm128)
    case 24: try unsafe present(gcm192)
    case 32: try unsafe present(gcm256)
    default: throw wrongKeySize
    }
  }

  static func aesCTR(keyBytes: Int) throws(CryptographyError) -> OpaquePointer {
    switch keyBytes {
    case 16: try unsafe present(ctr128)
    case 24: try unsafe present(ctr192)
    case 32: try unsafe present(ctr256)
    default: throw wrongKeySize
    }
  }

  private static func present(_ algorithm: OpaquePointer?) throws(CryptographyError) -> OpaquePointer {
    guard let algorithm = unsafe algorithm else { throw absent }
    return unsafe algorithm
  }

  private static let wrongKeySize = CryptographyError.broken("an AES key has 16, 24 or 32 bytes")

  /// What every caller throws when the default provider does not have what it always has.
  static let absent = CryptographyError.broken(
    "OpenSSL does not offer an algorithm of its default provider; look for a changed openssl.cnf")
}
