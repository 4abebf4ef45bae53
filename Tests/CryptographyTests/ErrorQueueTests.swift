// OpenSSL keeps a queue of errors per thread, which libpq and libcurl read too. Nothing here may leave one behind,
// whether it succeeds or refuses.

import COpenSSL
import Secrets
import Testing

@testable import Cryptography

@Suite struct ErrorQueueTests {
  /// Before any call that goes around the door.
  init() throws { try Cryptography.lockHeap() }

  private func isEmpty() -> Bool {
    let empty = ERR_peek_error() == 0
    ERR_clear_error()
    return empty
  }

  @Test("The queue can be seen to fill")
  func fills() {
    ERR_clear_error()
    let garbage: [UInt8] = [0x30, 0x05, 1, 2, 3, 4, 5]
    _ = unsafe garbage.span.withPointer { start, count in
      var cursor: UnsafePointer<UInt8>? = unsafe start
      return unsafe d2i_X509(nil, &cursor, count)
    }
    let empty = isEmpty()
    #expect(!empty)
  }

  @Test("Ciphers leave the queue empty")
  func ciphers() throws {
    ERR_clear_error()
    var gcm = try AESGCM()
    let message = Message(key: [UInt8](repeating: 1, count: 32), iv: [1], plaintext: [1, 2, 3])
    var sealed = try gcm.seal(message)
    _ = try gcm.open(sealed, as: message)
    #expect(isEmpty())
    sealed[0] ^= 1
    #expect(gcm.refusal(sealed, as: message) == .rejected)
    #expect(isEmpty())
    var other = message
    other.iv = [UInt8](repeating: 1, count: 200)
    _ = try gcm.open(try gcm.seal(other), as: other)
    #expect(gcm.refusal(sealed, as: other) == .rejected)
    other.key = [1]
    _ = gcm.refusal(sealed, as: other)
    #expect(isEmpty())
  }

  @Test("Hashes and random bytes leave the queue empty")
  func hashes() throws {
    ERR_clear_error()
    let some: [UInt8] = [1]
    _ = SHA256.digest(some)
    _ = try HMACSHA256.authenticate(some.span, key: some.span)
    var hkdf = try HKDFSHA256()
    _ = try hkdf.derive(ikm: some.span, salt: some.span, info: some.span)
    _ = failure { () throws(CryptographyError) in
      _ = try hkdf.derive(ikm: some.span, salt: some.span, info: some.span, count: 10_000)
    }
    _ = try SecureRandom.bytes(10)
    _ = try SecureRandom.secret(10)
    #expect(isEmpty())
  }

  @Test("RSA and Ed25519 leave the queue empty, also when they refuse")
  func keys() throws {
    let key = try RSAPrivateKey(text: TestKeys.rsa2048)
    ERR_clear_error()
    var sealed = try key.publicKey().seal([1])
    _ = try key.open(sealed)
    #expect(isEmpty())
    sealed[9] ^= 1
    let refusals = [key.refusal(sealed), key.refusal([1]), key.refusal([UInt8](repeating: 0xFF, count: 256))]
    #expect(refusals == [.rejected, .rejected, .rejected])
    #expect(isEmpty())
    let signer = try Ed25519PrivateKey.generate()
    var signature = try signer.sign(sealed.span)
    signature[0] ^= 1
    let error = failure { () throws(CryptographyError) in
      try signer.publicKey().verify(signature: signature.span, message: sealed.span)
    }
    #expect(error == .rejected)
    _ = try key.pkcs8PEM()
    _ = try RSAPrivateKey.generate(bits: 2048)
    #expect(isEmpty())
  }

  @Test("Every refused key file leaves the queue empty", arguments: KeyRefusalTests.refusedPrivate)
  func keyFiles(refused: KeyRefusalTests.Refused) {
    ERR_clear_error()
    let errors = [
      loadFailure { () throws(KeyLoadError) in _ = try RSAPrivateKey(text: refused.text) },
      loadFailure { () throws(KeyLoadError) in _ = try RSAPublicKey(text: refused.text) },
    ]
    #expect(errors.allSatisfy { $0 != nil })
    #expect(isEmpty())
  }
}
