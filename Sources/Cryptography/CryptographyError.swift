// How anything behind this door can fail. Whatever an attacker can steer is one case.

import COpenSSL
import Secrets

package enum CryptographyError: Error, Equatable, CustomStringConvertible {
  /// A tag that does not match, a wrong key, a wrong label, a damaged ciphertext, a bad signature: all alike.
  case rejected
  /// The locked memory of this process is full, or the kernel will not lock any.
  case outOfLockedMemory
  /// An input is beyond a documented limit of this door.
  case tooLong
  /// OpenSSL or a caller did something that no input can cause; the sentence is fixed and holds no data.
  case broken(StaticString)

  package static func == (left: CryptographyError, right: CryptographyError) -> Bool {
    switch (left, right) {
    case (.rejected, .rejected), (.outOfLockedMemory, .outOfLockedMemory), (.tooLong, .tooLong): true
    case (.broken(let one), .broken(let other)): one.description == other.description
    default: false
    }
  }

  package var description: String {
    switch self {
    case .rejected: "rejected"
    case .outOfLockedMemory: "no locked memory is left for keys; raise the limit: ulimit -l 8192"
    case .tooLong: "an input is longer than this operation takes"
    case .broken(let sentence): sentence.description
    }
  }
}

/// For the two paths that run a million times a second: emptying the error queue costs 0.1 µs, a quarter of opening a
/// short message, and a call that succeeds puts nothing there. Everywhere else it is emptied on every way out.
func forgetting(_ error: CryptographyError) -> CryptographyError {
  ERR_clear_error()
  return error
}

/// Locked memory for a secret, in the words of this door.
func lockedBytes(_ count: Int) throws(CryptographyError) -> SecretBytes {
  do {
    return try SecretBytes(zeroed: count)
  } catch {
    throw .outOfLockedMemory
  }
}
