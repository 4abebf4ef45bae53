// The only door to OpenSSL 3 (libcrypto, EVP only). It knows no format of ours: bytes go in, bytes come out, keys
// stay in locked memory, and each thread's error queue is left empty because libpq and libcurl share it.

import COpenSSL
import Synchronization

package enum Cryptography {
  /// OpenSSL's smallest slice of its secure heap; it must be a power of two.
  private static let secureSlice = 32
  /// The smallest heap that still holds a few RSA keys.
  private static let smallestSecureHeap = 1 << 16

  private static let outcome = Mutex<CryptographyError??>(nil)

  /// Gives OpenSSL a locked heap for private keys. A service calls it first, before it starts a thread; the first
  /// call decides the size and every later one repeats its outcome. Loading or making a private key calls it too,
  /// so no private key ever lies in swappable memory because somebody forgot.
  package static func prepare(secureHeapBytes: Int = 1 << 19) throws(CryptographyError) {
    let failure = outcome.withLock { known -> CryptographyError? in
      if let known { return known }
      let first = lockHeap(bytes: secureHeapBytes)
      known = .some(first)
      return first
    }
    if let failure { throw failure }
  }

  /// Halves the wish until the kernel locks it.
  private static func lockHeap(bytes wanted: Int) -> CryptographyError? {
    precondition(wanted > 0 && wanted & (wanted - 1) == 0, "the secure heap's size is a power of two")
    defer { ERR_clear_error() }
    if CRYPTO_secure_malloc_initialized() == 1 { return nil }
    var bytes = wanted
    while bytes >= min(smallestSecureHeap, wanted) {
      // 1: done. 2: the heap is there, but the kernel would not lock it or give it guard pages.
      if CRYPTO_secure_malloc_init(bytes, secureSlice) == 1 { return nil }
      CRYPTO_secure_malloc_done()
      bytes /= 2
    }
    return .outOfLockedMemory
  }
}
