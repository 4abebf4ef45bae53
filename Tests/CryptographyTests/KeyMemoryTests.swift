// Where a private key lies, looked at from the outside.

import COpenSSL
import MemoryInspection
import Secrets
import Testing

@testable import Cryptography

@Suite struct KeyMemoryTests {
  @Test("Making the door ready twice is one making, and OpenSSL has its locked heap")
  func prepared() throws {
    try Cryptography.prepare()
    try Cryptography.prepare(secureHeapBytes: 1 << 16)
    #expect(CRYPTO_secure_malloc_initialized() == 1)
  }

  /// A piece of the first prime of a key, as OpenSSL's numbers lie in memory: lowest byte first.
  private func prime(of key: KeyHandle) throws -> MemoryScan {
    var number: OpaquePointer?
    #expect(unsafe EVP_PKEY_get_bn_param(key.pointer, "rsa-factor1", &number) == 1)
    var bytes = [UInt8](repeating: 0, count: 128)
    #expect(unsafe BN_bn2lebinpad(number, &bytes, 128) == 128)
    unsafe BN_clear_free(number)
    let piece = bytes[64..<104].map { $0 ^ 0x5A }
    unsafe OPENSSL_cleanse(&bytes, 128)
    return MemoryScan(masked: piece)
  }

  @Test("A private key's primes lie in locked memory alone, and nowhere once it ends")
  func primes() throws {
    var scan: MemoryScan?
    do {
      let key = try KeyHandle.generate(.rsa, bits: 2048)
      let prime = try prime(of: key)
      let places = try prime.places()
      #expect(places.count == 1)
      #expect(places.allSatisfy { $0.flags.isSuperset(of: ["lo", "dd"]) })
      scan = prime
    }
    #expect(try scan?.places().isEmpty == true)
  }

  @Test("After its first use OpenSSL keeps one more copy of a prime, and wipes it with the key")
  func usedPrimes() throws {
    var scan: MemoryScan?
    do {
      let made = try KeyHandle.generate(.rsa, bits: 2048)
      let prime = try prime(of: made)
      let key = try RSAPrivateKey(made)
      try key.selfTest()
      let places = try prime.places()
      #expect(places.count == 2)
      #expect(places.filter { $0.flags.contains("lo") }.count == 1)
      scan = prime
    }
    #expect(try scan?.places().isEmpty == true)
  }

  @Test("The PEM of a private key lies in locked memory while it is held, and nowhere afterwards")
  func pem() throws {
    var scan: MemoryScan?
    do {
      let key = try RSAPrivateKey.generate(bits: 2048)
      let pem = try key.pkcs8PEM()
      let piece = MemoryScan(masked: (300..<360).map { pem.bytes[$0] ^ 0x5A })
      let places = try piece.places()
      #expect(places.count == 1)
      #expect(places.allSatisfy { $0.flags.contains("lo") })
      // Reading it again makes and wipes a text and a DER of its own.
      let again = try RSAPrivateKey(pem: pem.bytes)
      let bits = again.bits
      #expect(bits == 2048)
      #expect(try piece.places().count == 1)
      scan = piece
    }
    #expect(try scan?.places().isEmpty == true)
  }

  @Test("The DER of a private key that was loaded is gone")
  func der() throws {
    let key = try RSAPrivateKey.generate(bits: 2048)
    let pem = try key.pkcs8PEM()
    var piece: MemoryScan?
    do {
      let text = try KeyText(pem.bytes)
      let scan = MemoryScan(masked: (900..<940).map { text.bytes[$0] ^ 0x5A })
      #expect(try scan.places().allSatisfy { $0.flags.contains("lo") })
      #expect(try scan.places().count == 1)
      piece = scan
    }
    let again = try RSAPrivateKey(pem: pem.bytes)
    let bits = again.bits
    #expect(bits == 2048)
    #expect(try piece?.places().isEmpty == true)
  }

  @Test("An opened key lies in locked memory alone, and nowhere once it ends")
  func opened() throws {
    let scan = MemoryScan(random: 32)
    let key = try RSAPrivateKey(text: TestKeys.rsa2048)
    var sealed: [UInt8] = []
    let none: [UInt8] = []
    do {
      var secret = try SecretBytes(zeroed: 32)
      var span = secret.mutableBytes
      scan.fill(&span)
      sealed = try key.publicKey().encryptOAEP(secret.bytes, label: none.span)
    }
    do {
      let opened = try key.decryptOAEP(sealed.span, label: none.span)
      let count = opened.count
      #expect(count == 32)
      let places = try scan.places()
      #expect(places.count == 1)
      #expect(places.allSatisfy { $0.flags.contains("lo") })
    }
    #expect(try scan.places().isEmpty)
  }
}
