// The only door to OpenSSL 3 (libcrypto, EVP only). It knows no format of ours: bytes go in, bytes come out, keys
// stay in locked memory, and each thread's error queue is left empty because libpq and libcurl share it.

import COpenSSL
import Synchronization

package enum Cryptography {
  /// OpenSSL's smallest slice of its secure heap; it must be a power of two.
  private static let secureSlice = 32
  /// The smallest heap that still holds a few RSA keys.
  private static let smallestSecureHeap = 1 << 16

  private static let heapOutcome = Mutex<CryptographyError??>(nil)

  /// Whatever OpenSSL frees is wiped first. OpenSSL agrees to this only before its first allocation in the process, so
  /// everything behind this door looks here before it calls anything that allocates.
  static let wipesWhatIsFreed = mandate_wipe_what_is_freed() == 1

  /// Makes OpenSSL wipe what it frees and gives it a locked heap for private keys. A process that holds keys calls it
  /// first, before it starts a thread or touches libpq or libcurl, and ends if it fails; the first call decides the
  /// size, and later ones repeat its outcome.
  package static func prepare(secureHeapBytes: Int = 1 << 19) throws(CryptographyError) {
    guard wipesWhatIsFreed else {
      throw .broken("OpenSSL was used before the door to it was made ready; call Cryptography.prepare() first")
    }
    try lockHeap(bytes: secureHeapBytes)
  }

  /// Loading or making a private key insists on the locked heap, so none ever lies in swappable memory because
  /// somebody forgot to prepare.
  static func lockHeap(bytes wanted: Int = 1 << 19) throws(CryptographyError) {
    precondition(wanted > 0 && wanted & (wanted - 1) == 0, "the secure heap's size is a power of two")
    _ = wipesWhatIsFreed
    let failure = heapOutcome.withLock { known -> CryptographyError? in
      if let known { return known }
      let first = makeHeap(bytes: wanted)
      known = .some(first)
      return first
    }
    if let failure { throw failure }
  }

  /// Halves the wish until the kernel locks it.
  private static func makeHeap(bytes wanted: Int) -> CryptographyError? {
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
