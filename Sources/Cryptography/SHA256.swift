// SHA-256 of public bytes.

import COpenSSL

package enum SHA256 {
  package static let digestBytes = 32

  package static func digest(_ bytes: Span<UInt8>) -> [UInt8] {
    _ = Cryptography.wipesWhatIsFreed
    var made = [UInt8](repeating: 0, count: digestBytes)
    var target = made.mutableSpan
    let done = unsafe bytes.withPointer { start, count in
      unsafe target.withPointer { into, _ in unsafe EVP_Digest(start, count, into, nil, Algorithms.sha256, nil) }
    }
    // Only a process without memory or without OpenSSL's default provider gets here, and it can promise nothing.
    precondition(done == 1, "OpenSSL could not compute SHA-256")
    return made
  }

  package static func digest(_ bytes: [UInt8]) -> [UInt8] { digest(bytes.span) }
}
