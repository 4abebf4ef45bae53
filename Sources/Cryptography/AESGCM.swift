// AES-GCM with 128, 192 or 256 bit keys and a 16-byte tag behind the ciphertext. One value owns one OpenSSL context
// and uses it for every message: a new context per message costs half the speed at a kilobyte and below.

import COpenSSL

/// The key schedule of the last message stays in the context until the next one, `forgetKey()` or the end of the
/// value, so a caller keeps it no longer than the keys it works with. It lies on OpenSSL's heap, not in locked
/// memory, and is wiped before it is freed.
///
/// `@safe`: the handle is private, belongs to this value alone and is freed by `deinit` alone.
@safe
package struct AESGCM: ~Copyable, Sendable {
  package static let tagBytes = 16
  /// OpenSSL counts in `int`.
  package static let longestMessage = Int(Int32.max) - tagBytes
  /// What OpenSSL itself takes; longer IVs exist in published vectors only and go through `AESGCMLongIV`.
  private static let longestIVAtOnce = 128
  /// The length that every cipher context starts with.
  private static let usualIVBytes = 12

  nonisolated(unsafe) private let context: OpaquePointer
  /// What the context is set up for; without a key length it holds no cipher, which OpenSSL does not check.
  private var keyBytes: Int?
  private var ivBytes = usualIVBytes

  package init() throws(CryptographyError) {
    _ = Cryptography.wipesWhatIsFreed
    defer { ERR_clear_error() }
    guard let made = unsafe EVP_CIPHER_CTX_new() else { throw .broken("OpenSSL has no memory for a cipher") }
    unsafe context = made
  }

  deinit { unsafe EVP_CIPHER_CTX_free(context) }

  /// Wipes the key schedule now. The next message costs one allocation more.
  package mutating func forgetKey() {
    unsafe EVP_CIPHER_CTX_reset(context)
    keyBytes = nil
    ivBytes = Self.usualIVBytes
  }

  /// Ciphertext and tag into `output`, which is exactly 16 bytes longer than the plaintext.
  package mutating func seal(
    _ plaintext: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, aad: Span<UInt8>,
    into output: inout MutableSpan<UInt8>
  ) throws(CryptographyError) {
    precondition(output.count == plaintext.count + Self.tagBytes, "a sealed message is 16 bytes longer")
    try Self.check(message: plaintext.count, iv: iv.count, aad: aad.count)
    guard iv.count <= Self.longestIVAtOnce else {
      return try AESGCMLongIV.seal(plaintext, key: key, iv: iv, aad: aad, into: &output)
    }
    try fit(key: key.count, iv: iv.count)
    let done = unsafe output.withPointer { into, _ in
      unsafe plaintext.withPointer { from, count in
        let tag = unsafe into + count
        return unsafe begin(key: key, iv: iv, aad: aad, sealing: true)
          && step(into, from, count) && finish(tag)
          && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagBytes), tag) == 1
      }
    }
    guard done else {
      output.wipe()
      forgetKey()
      throw forgetting(.broken("OpenSSL refused to seal with AES-GCM"))
    }
  }

  /// Plaintext into `output`, which is exactly 16 bytes shorter than the sealed message. OpenSSL writes before it
  /// has seen the tag, so a message that is refused leaves zeroes behind.
  package mutating func open(
    _ sealed: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, aad: Span<UInt8>,
    into output: inout MutableSpan<UInt8>
  ) throws(CryptographyError) {
    guard sealed.count >= Self.tagBytes else { throw .rejected }
    precondition(output.count == sealed.count - Self.tagBytes, "an opened message is 16 bytes shorter")
    try Self.check(message: output.count, iv: iv.count, aad: aad.count)
    guard iv.count <= Self.longestIVAtOnce else {
      return try AESGCMLongIV.open(sealed, key: key, iv: iv, aad: aad, into: &output)
    }
    try fit(key: key.count, iv: iv.count)
    let done = unsafe output.withPointer { into, count in
      unsafe sealed.withPointer { from, _ in
        let tag = unsafe UnsafeMutablePointer(mutating: from + count)  // OpenSSL only reads it.
        return unsafe begin(key: key, iv: iv, aad: aad, sealing: false)
          && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagBytes), tag) == 1
          && step(into, from, count) && finish(into)
      }
    }
    guard done else {
      output.wipe()
      throw forgetting(.rejected)
    }
  }

  /// An IV of no bytes would make every message of a key use the same keystream, whoever chose it.
  static func check(message: Int, iv: Int, aad: Int) throws(CryptographyError) {
    guard iv > 0 else { throw .rejected }
    guard message <= longestMessage, iv <= longestMessage, aad <= longestMessage else { throw .tooLong }
  }

  /// Picks cipher and IV length, and touches the context only where they differ from the last message's.
  private mutating func fit(key: Int, iv: Int) throws(CryptographyError) {
    if key != keyBytes {
      forgetKey()
      let cipher = try unsafe Algorithms.aesGCM(keyBytes: key)
      guard unsafe EVP_CipherInit_ex2(context, cipher, nil, nil, 1, nil) == 1 else {
        throw forgetting(Algorithms.absent)
      }
      keyBytes = key
    }
    if iv != ivBytes {
      guard unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, Int32(iv), nil) == 1 else {
        forgetKey()
        throw forgetting(.broken("OpenSSL refused the length of an IV"))
      }
      ivBytes = iv
    }
  }

  private func begin(key: Span<UInt8>, iv: Span<UInt8>, aad: Span<UInt8>, sealing: Bool) -> Bool {
    unsafe key.withPointer { key, _ in
      unsafe iv.withPointer { iv, _ in
        guard unsafe EVP_CipherInit_ex2(context, nil, key, iv, sealing ? 1 : 0, nil) == 1 else { return false }
        return unsafe aad.withPointer { aad, count in unsafe step(nil, aad, count) }
      }
    }
  }

  /// Without a target the bytes are authenticated only.
  private func step(_ into: UnsafeMutablePointer<UInt8>?, _ from: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    var written: Int32 = 0
    return unsafe count == 0 || EVP_CipherUpdate(context, into, &written, from, Int32(count)) == 1
  }

  /// Makes or checks the tag; GCM writes nothing here.
  private func finish(_ into: UnsafeMutablePointer<UInt8>) -> Bool {
    var written: Int32 = 0
    return unsafe EVP_CipherFinal_ex(context, into, &written) == 1
  }
}
