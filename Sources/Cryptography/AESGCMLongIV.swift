// AES-GCM with an IV of more than 128 bytes, which OpenSSL does not take and published vectors contain. NIST
// SP 800-38D builds GCM from a hash and a counter mode; here both come out of OpenSSL's own GCM and CTR, so no field
// arithmetic is written by hand. It is slow, needs twice the memory, and no format of ours ever gets here.

import COpenSSL
import Secrets

enum AESGCMLongIV {
  static func seal(
    _ plaintext: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, aad: Span<UInt8>,
    into output: inout MutableSpan<UInt8>
  ) throws(CryptographyError) {
    let first = try firstCounter(key: key, iv: iv)
    try encrypt(plaintext, key: key, first: first.bytes, into: &output)
    let made = try tag(output.span.extracting(0..<plaintext.count), key: key, first: first.bytes, aad: aad)
    for index in made.bytes.indices { output[plaintext.count + index] = made.bytes[index] }
  }

  static func open(
    _ sealed: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, aad: Span<UInt8>,
    into output: inout MutableSpan<UInt8>
  ) throws(CryptographyError) {
    let ciphertext = sealed.extracting(0..<output.count)
    let first = try firstCounter(key: key, iv: iv)
    let right = try tag(ciphertext, key: key, first: first.bytes, aad: aad)
    guard right.equals(sealed.extracting(output.count..<sealed.count)) else {
      output.wipe()
      throw .rejected
    }
    try encrypt(ciphertext, key: key, first: first.bytes, into: &output)
  }

  /// J0: the hash of an IV that is not 12 bytes long.
  static func firstCounter(key: Span<UInt8>, iv: Span<UInt8>) throws(CryptographyError) -> SecretBytes {
    let none: [UInt8] = []
    return try hash(iv, aad: none.span, key: key)
  }

  /// The hash of AAD and ciphertext under the block that the first counter encrypts to.
  private static func tag(
    _ ciphertext: Span<UInt8>, key: Span<UInt8>, first: Span<UInt8>, aad: Span<UInt8>
  ) throws(CryptographyError) -> SecretBytes {
    var made = try hash(ciphertext, aad: aad, key: key)
    let mask = try block(key: key, first)
    var span = made.mutableBytes
    for index in span.indices { span[index] ^= mask.bytes[index] }
    return made
  }

  /// GHASH(aad, text). GCM seals whatever encrypts to `text` under an IV of zeroes; that tag is the wanted hash
  /// under a block that we can make, and can therefore take off again.
  private static func hash(
    _ text: Span<UInt8>, aad: Span<UInt8>, key: Span<UInt8>
  ) throws(CryptographyError) -> SecretBytes {
    let zeroes = [UInt8](repeating: 0, count: 12)
    let none: [UInt8] = []
    var gcm = try AESGCM()
    var masked = WipedBytes()
    masked.resize(to: text.count + AESGCM.tagBytes)
    var again = WipedBytes()
    again.resize(to: text.count + AESGCM.tagBytes)
    var maskedSpan = masked.mutableBytes
    try gcm.seal(text, key: key, iv: zeroes.span, aad: none.span, into: &maskedSpan)
    let preimage = masked.bytes.extracting(0..<text.count)
    var againSpan = again.mutableBytes
    try gcm.seal(preimage, key: key, iv: zeroes.span, aad: aad, into: &againSpan)

    let firstOfZeroes = zeroes + [0, 0, 0, 1]
    var made = try block(key: key, firstOfZeroes.span)
    var span = made.mutableBytes
    for index in span.indices { span[index] ^= againSpan[text.count + index] }
    return made
  }

  /// One block of AES: the key stream that a counter mode begins with.
  private static func block(key: Span<UInt8>, _ input: Span<UInt8>) throws(CryptographyError) -> SecretBytes {
    let zeroes = [UInt8](repeating: 0, count: 16)
    var made = try lockedBytes(16)
    var span = made.mutableBytes
    try stream(zeroes.span, key: key, counter: input, into: &span, at: 0)
    return made
  }

  /// GCTR: counters after the first. GCM counts in the last four bytes only, OpenSSL's CTR in all sixteen, so the
  /// stream is begun anew where the four come round to zero.
  static func encrypt(
    _ input: Span<UInt8>, key: Span<UInt8>, first: Span<UInt8>, into output: inout MutableSpan<UInt8>
  ) throws(CryptographyError) {
    var counter = try lockedBytes(16)
    var span = counter.mutableBytes
    var low: UInt32 = 0
    for index in 0..<16 { span[index] = first[index] }
    for index in 12..<16 { low = low << 8 | UInt32(first[index]) }
    var done = 0
    while done < input.count {
      low &+= 1
      for index in 0..<4 { span[12 + index] = UInt8(truncatingIfNeeded: low >> (24 - 8 * UInt32(index))) }
      let blocks = Int(UInt32.max - low) + 1
      let count = min(input.count - done, blocks * 16)
      try stream(input.extracting(done..<done + count), key: key, counter: span.span, into: &output, at: done)
      done += count
      low = UInt32.max
    }
  }

  private static func stream(
    _ input: Span<UInt8>, key: Span<UInt8>, counter: Span<UInt8>, into output: inout MutableSpan<UInt8>, at start: Int
  ) throws(CryptographyError) {
    defer { ERR_clear_error() }
    let cipher = try unsafe Algorithms.aesCTR(keyBytes: key.count)
    let length = try int32(input.count)
    guard let context = unsafe EVP_CIPHER_CTX_new() else { throw Algorithms.absent }
    defer { unsafe EVP_CIPHER_CTX_free(context) }
    let done = unsafe key.withPointer { key, _ in
      unsafe counter.withPointer { counter, _ in
        unsafe input.withPointer { from, _ in
          unsafe output.withPointer { into, _ in
            var written: Int32 = 0
            return unsafe EVP_EncryptInit_ex2(context, cipher, key, counter, nil) == 1
              && EVP_EncryptUpdate(context, into + start, &written, from, length) == 1
          }
        }
      }
    }
    guard done else { throw .broken("OpenSSL refused AES-CTR") }
  }
}
