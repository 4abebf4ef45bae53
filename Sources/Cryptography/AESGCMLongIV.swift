// AES-GCM with an IV that is longer than OpenSSL takes (128 bytes).

enum AESGCMLongIV {
  static func seal(
    _ plaintext: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, aad: Span<UInt8>,
    into output: inout MutableSpan<UInt8>
  ) throws(CryptographyError) {
    throw .tooLong
  }

  static func open(
    _ sealed: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, aad: Span<UInt8>,
    into output: inout MutableSpan<UInt8>
  ) throws(CryptographyError) {
    throw .tooLong
  }
}
