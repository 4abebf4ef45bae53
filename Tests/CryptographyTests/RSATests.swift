// RSA-OAEP: both directions, known answers, and everything that must be refused alike.

import Secrets
import Testing

@testable import Cryptography

@Suite struct RSATests {
  static let keys = [(2048, TestKeys.rsa2048), (3072, TestKeys.rsa3072), (4096, TestKeys.rsa4096)]
  let message = "thirty-two bytes of mission key.".bytes
  let label = "frame of claims".bytes

  @Test("With and without a label, what is sealed for a key opens with it", arguments: keys)
  func bothWays(bits: Int, pem: String) throws {
    let key = try RSAPrivateKey(text: pem)
    let (privateBits, publicBits) = (key.bits, key.publicKey().bits)
    #expect(privateBits == bits)
    #expect(publicBits == bits)
    for label in [[], label, [UInt8](repeating: 7, count: 100_000)] {
      let sealed = try key.publicKey().seal(message, label: label)
      #expect(sealed.count == bits / 8)
      let opened = try key.open(sealed, label: label)
      #expect(opened == message)
      let again = try key.publicKey().seal(message, label: label)
      #expect(again != sealed)
    }
  }

  @Test("Another label, no label and a label too many are all refused alike", arguments: keys)
  func labels(bits: Int, pem: String) throws {
    let key = try RSAPrivateKey(text: pem)
    let labelled = try key.publicKey().seal(message, label: label)
    let plain = try key.publicKey().seal(message)
    let refusals = [
      key.refusal(labelled, label: label + [0]), key.refusal(labelled, label: label.dropLast()),
      key.refusal(labelled), key.refusal(plain, label: label), key.refusal(plain, label: [0]),
    ]
    #expect(refusals == [CryptographyError?](repeating: .rejected, count: 5))
  }

  @Test("Every changed byte of a ciphertext is refused")
  func everyByte() throws {
    let key = try RSAPrivateKey(text: TestKeys.rsa2048)
    let sealed = try key.publicKey().seal(message, label: label)
    var refused = 0
    for index in sealed.indices {
      var changed = sealed
      changed[index] ^= 1 << UInt8(index % 8)
      if key.refusal(changed, label: label) == .rejected { refused += 1 }
    }
    #expect(refused == 256)
  }

  @Test("A ciphertext of another length than the modulus is refused, also when only zeroes are missing")
  func lengths() throws {
    let key = try RSAPrivateKey(text: TestKeys.rsa2048)
    let sealed = try key.publicKey().seal(message)
    for wrong in [[], Array(sealed.dropLast()), Array(sealed.dropFirst()), sealed + [0], [0] + sealed, sealed + sealed]
    {
      let refusal = key.refusal(wrong)
      #expect(refusal == .rejected)
    }
    let edges = [[UInt8](repeating: 0, count: 256), [UInt8](repeating: 0xFF, count: 256)].map { key.refusal($0) }
    #expect(edges == [.rejected, .rejected])
  }

  @Test("Another key of the same size refuses")
  func otherKey() throws {
    let key = try RSAPrivateKey(text: TestKeys.rsa2048)
    let other = try RSAPrivateKey.generate(bits: 2048)
    let sealed = try key.publicKey().seal(message)
    let refusal = other.refusal(sealed)
    #expect(refusal == .rejected)
  }

  @Test("Known answers of another library open, under their own hashes only", arguments: OAEPKnownAnswer.all)
  func knownAnswers(known: OAEPKnownAnswer) throws {
    let key = try RSAPrivateKey(text: TestKeys.rsa2048)
    let (sealed, label) = (known.ciphertext.hex, known.label.hex)
    let opened = try key.open(sealed, label: label, hash: known.hash, mgf: known.mgf)
    #expect(opened == known.plaintext.hex)
    var refused = 0
    for hash in OAEPHash.allCases {
      for mgf in OAEPHash.allCases where (hash, mgf) != (known.hash, known.mgf) {
        if key.refusal(sealed, label: label, hash: hash, mgf: mgf) == .rejected { refused += 1 }
      }
    }
    #expect(refused == 48)
  }

  @Test("Every pair of hashes works both ways, up to the longest message that fits and not one byte beyond")
  func hashPairs() throws {
    let key = try RSAPrivateKey(text: TestKeys.rsa2048)
    for hash in OAEPHash.allCases {
      for mgf in OAEPHash.allCases {
        let longest = [UInt8](repeating: 1, count: 256 - 2 * hash.bytes - 2)
        let sealed = try key.publicKey().seal(longest, hash: hash, mgf: mgf)
        let opened = try key.open(sealed, hash: hash, mgf: mgf)
        #expect(opened == longest)
        let error = failure { () throws(CryptographyError) in
          _ = try key.publicKey().seal(longest + [1], hash: hash, mgf: mgf)
        }
        #expect(error == .tooLong)
      }
    }
  }

  @Test("An empty message is a message")
  func empty() throws {
    let key = try RSAPrivateKey(text: TestKeys.rsa2048)
    let sealed = try key.publicKey().seal([])
    let opened = try key.open(sealed)
    #expect(opened == [])
  }

  @Test("A label beyond the limit is too long on both sides")
  func longLabel() throws {
    let key = try RSAPrivateKey(text: TestKeys.rsa2048)
    let longest = [UInt8](repeating: 1, count: OAEP.longestLabel)
    let sealed = try key.publicKey().seal(message, label: longest)
    let opened = try key.open(sealed, label: longest)
    #expect(opened == message)
    let sealing = failure { () throws(CryptographyError) in
      _ = try key.publicKey().seal(message, label: longest + [1])
    }
    let opening = key.refusal(sealed, label: longest + [1])
    #expect(sealing == .tooLong)
    #expect(opening == .tooLong)
  }

  @Test("One key opens for many threads at once")
  func concurrently() async throws {
    let key = try RSAPrivateKey(text: TestKeys.rsa2048)
    let shared = SharedKey(key)
    let sealed = try (0..<4).map { try shared.publicKey.seal([UInt8($0)], label: [UInt8($0)]) }
    let right = try await withThrowingTaskGroup(of: Int.self) { group in
      for worker in 0..<8 {
        group.addTask {
          var right = 0
          for round in 0..<40 {
            let index = (worker + round) % 4
            if try shared.open(sealed[index], label: [UInt8(index)]) == [UInt8(index)] { right += 1 }
            if shared.refusal(sealed[index], label: [UInt8(index) ^ 1]) == .rejected { right += 1 }
          }
          return right
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(right == 640)
  }
}

/// A key that tasks may share: its owner is one, its users are many.
final class SharedKey: Sendable {
  private let key: RSAPrivateKey

  init(_ key: consuming RSAPrivateKey) { self.key = key }

  var publicKey: RSAPublicKey { key.publicKey() }

  func open(_ sealed: [UInt8], label: [UInt8]) throws(CryptographyError) -> [UInt8] {
    try key.open(sealed, label: label)
  }

  func refusal(_ sealed: [UInt8], label: [UInt8]) -> CryptographyError? { key.refusal(sealed, label: label) }
}
