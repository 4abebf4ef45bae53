// Where a private key lies, looked at from the outside.

import COpenSSL
import Glibc
import MemoryInspection
import Secrets
import Testing

@testable import Cryptography

@Suite(.enabled(if: Sanitizer.isAbsent)) struct KeyMemoryTests {
  @Test("Making the door ready twice is one making, and OpenSSL has its locked heap")
  func prepared() throws {
    try Cryptography.lockHeap()
    try Cryptography.lockHeap(bytes: 1 << 16)
    #expect(CRYPTO_secure_malloc_initialized() == 1)
  }

  @Test(
    "Whatever OpenSSL frees, or moves to grow or shrink, is wiped first",
    .enabled(if: Cryptography.wipesWhatIsFreed, "another suite of this process used OpenSSL first"))
  func freed() throws {
    let scan = MemoryScan(random: 48)
    // So many that the allocator cannot have used all of them again by the time of the search.
    var blocks: [UnsafeMutableRawPointer] = unsafe []
    for _ in 0..<100 {
      let block = unsafe try #require(CRYPTO_malloc(3000, #file, #line))
      for index in 0..<48 {
        unsafe block.storeBytes(of: scan.byte(at: index), toByteOffset: 1000 + index, as: UInt8.self)
      }
      unsafe blocks.append(block)
    }
    #expect(try scan.places().count == 100)
    for size in [30_000, 2000] {
      for index in 0..<100 { unsafe blocks[index] = try #require(CRYPTO_realloc(blocks[index], size, #file, #line)) }
      #expect(try scan.places().count == 100)
    }
    for index in 0..<100 { unsafe CRYPTO_free(blocks[index], #file, #line) }
    #expect(try scan.places().isEmpty)
    #expect(unsafe CRYPTO_malloc(0, #file, #line) == nil)
    unsafe CRYPTO_free(nil, #file, #line)
  }

  @Test("A process that used OpenSSL before the door was made ready is told so, and its keys are locked all the same")
  func tooLate() async {
    await #expect(processExitsWith: .success) {
      unsafe CRYPTO_free(CRYPTO_malloc(10, #file, #line), #file, #line)
      let error = failure { () throws(CryptographyError) in try Cryptography.prepare() }
      guard case .broken = error else { exit(2) }
      _ = try RSAPrivateKey(text: TestKeys.rsa2048)
      exit(CRYPTO_secure_malloc_initialized() == 1 ? EXIT_SUCCESS : EXIT_FAILURE)
    }
  }

  @Test("Where nothing can be locked there is no private key")
  func nothingLocked() async {
    await #expect(processExitsWith: .success) {
      // The arena first, then not one byte more. Root may lock as much as it likes, so it becomes nobody.
      let text = try SecretBytes(zeroed: 1)
      var limit = rlimit(rlim_cur: 0, rlim_max: 0)
      guard unsafe setrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit) == 0 else { exit(2) }
      guard geteuid() != 0 || setuid(65534) == 0 else { exit(3) }
      let preparing = failure { () throws(CryptographyError) in try Cryptography.prepare() }
      let loading = loadFailure { () throws(KeyLoadError) in _ = try RSAPrivateKey(text: TestKeys.rsa2048) }
      let making = failure { () throws(CryptographyError) in _ = try RSAPrivateKey.generate(bits: 2048) }
      let refused = preparing == .outOfLockedMemory && making == preparing && loading == .door(.outOfLockedMemory)
      exit(refused && text.count == 1 ? EXIT_SUCCESS : EXIT_FAILURE)
    }
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

  @Test("A private key's primes lie in locked memory alone, made or loaded, and nowhere once it ends")
  func primes() throws {
    var scan: MemoryScan?
    do {
      let key = try KeyHandle.generate(.rsa, bits: 2048)
      let prime = try prime(of: key)
      #expect(try prime.places().count == 1)
      let pem = try key.pkcs8PEM()
      let loaded = try RSAPrivateKey(pem: pem.bytes)
      let places = try prime.places()
      #expect(places.count == 2)
      #expect(places.allSatisfy { $0.flags.isSuperset(of: ["lo", "dd"]) })
      let bits = loaded.bits
      #expect(bits == 2048)
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

  @Test(
    "Of the DER of a private key that was loaded, no piece is left",
    .enabled(if: Cryptography.wipesWhatIsFreed, "another suite of this process used OpenSSL first"))
  func der() throws {
    let key = try RSAPrivateKey.generate(bits: 2048)
    let pem = try key.pkcs8PEM()
    var pieces: [MemoryScan] = []
    do {
      let text = try KeyText(pem.bytes)
      // Behind the modulus and the exponents: nothing that the public key has, too.
      pieces = stride(from: 320, to: 1180, by: 140).map { start in
        MemoryScan(masked: (start..<start + 40).map { text.bytes[$0] ^ 0x5A })
      }
      for piece in pieces {
        let places = try piece.places()
        #expect(places.count == 1)
        #expect(places.allSatisfy { $0.flags.contains("lo") })
      }
    }
    let again = try RSAPrivateKey(pem: pem.bytes)
    let bits = again.bits
    #expect(bits == 2048)
    #expect(pieces.count == 7)
    for piece in pieces { #expect(try piece.places().isEmpty) }
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
