// AES-GCM against the test cases of its specification (McGrew and Viega), and against every way to spoil a message.

import Secrets
import Testing

@testable import Cryptography

@Suite struct AESGCMTests {
  struct Known: Sendable {
    let message: Message
    let sealed: [UInt8]
  }

  private static let key = "feffe9928665731c6d6a8f9467308308".hex
  private static let plaintext = """
    d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
    1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39
    """.hex
  private static let aad = "feedfacedeadbeeffeedfacedeadbeefabaddad2".hex
  private static let iv = "cafebabefacedbaddecaf888".hex
  private static let longIV = """
    9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728\
    c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b
    """.hex

  private static func zero(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

  private static func case4(keyBytes: Int, iv: [UInt8]) -> Message {
    Message(key: Array((key + key).prefix(keyBytes)), iv: iv, aad: aad, plaintext: plaintext)
  }

  /// Cases 1, 2, 4, 5, 6, 10, 13, 14 and 16.
  static let known = [
    Known(message: Message(key: zero(16), iv: zero(12)), sealed: "58e2fccefa7e3061367f1d57a4e7455a".hex),
    Known(
      message: Message(key: zero(16), iv: zero(12), plaintext: zero(16)),
      sealed: "0388dace60b6a392f328c2b971b2fe78 ab6e47d42cec13bdf53a67b21257bddf".hex),
    Known(
      message: case4(keyBytes: 16, iv: iv),
      sealed: """
        42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05\
        1ba30b396a0aac973d58e091 5bc94fbc3221a5db94fae95ae7121a47
        """.hex),
    Known(
      message: case4(keyBytes: 16, iv: "cafebabefacedbad".hex),
      sealed: """
        61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d4896b42\
        4989b5e1ebac0f07c23f4598 3612d2e79e3b0785561be14aaca2fccb
        """.hex),
    Known(
      message: case4(keyBytes: 16, iv: longIV),
      sealed: """
        8ce24998625615b603a033aca13fb894be9112a5c3a211a8ba262a3cca7e2ca701e4a9a4fba43c90ccdcb281d48c7c6f\
        d62875d2aca417034c34aee5 619cc5aefffe0bfa462af43c1699d050
        """.hex),
    Known(
      message: case4(keyBytes: 24, iv: iv),
      sealed: """
        3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f47\
        18e2448b2fe324d9ccda2710 2519498e80f1478f37ba55bd6d27618c
        """.hex),
    Known(message: Message(key: zero(32), iv: zero(12)), sealed: "530f8afbc74536b9a963b4f1c4cb738b".hex),
    Known(
      message: Message(key: zero(32), iv: zero(12), plaintext: zero(16)),
      sealed: "cea7403d4d606b6e074ec5d3baf39d18 d0d1c8a799996bf0265b98b5d48ab919".hex),
    Known(
      message: case4(keyBytes: 32, iv: iv),
      sealed: """
        522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838\
        c5f61e6393ba7a0abcc9f662 76fc6ece0f4e1768cddf8853bb2d551b
        """.hex),
  ]

  @Test("Known answers, in one context that changes key size and IV length between messages")
  func knownAnswers() throws {
    var gcm = try AESGCM()
    for known in Self.known + Self.known.reversed() {
      #expect(try gcm.seal(known.message) == known.sealed)
      #expect(try gcm.open(known.sealed, as: known.message) == known.message.plaintext)
    }
  }

  @Test("A key that was forgotten in between changes nothing")
  func forgets() throws {
    var gcm = try AESGCM()
    for known in Self.known {
      #expect(try gcm.open(known.sealed, as: known.message) == known.message.plaintext)
      gcm.forgetKey()
      #expect(try gcm.seal(known.message) == known.sealed)
      gcm.forgetKey()
    }
  }

  @Test("All three results of opening are the same bytes")
  func results() throws {
    var gcm = try AESGCM()
    let (message, sealed) = (Self.known[8].message, Self.known[8].sealed)
    let wiped: WipedBytes = try gcm.open(
      sealed.span, key: message.key.span, iv: message.iv.span, aad: message.aad.span)
    let secret: SecretBytes = try gcm.open(
      sealed.span, key: message.key.span, iv: message.iv.span, aad: message.aad.span)
    var own = [UInt8](repeating: 0xEE, count: message.plaintext.count)
    var span = own.mutableSpan
    try gcm.open(sealed.span, key: message.key.span, iv: message.iv.span, aad: message.aad.span, into: &span)
    #expect(copied(wiped.bytes) == message.plaintext)
    #expect(copied(secret.bytes) == message.plaintext)
    #expect(own == message.plaintext)
  }

  @Test("Every IV of 1 to 128 bytes, and longer ones, seals and opens; no two seal alike")
  func ivLengths() throws {
    var gcm = try AESGCM()
    var seen: Set<[UInt8]> = []
    let lengths = Array(1...128) + [129, 257, 1000]
    for length in lengths {
      let message = Message(
        key: Array(0..<32), iv: (0..<length).map { UInt8($0 % 256) }, aad: [1, 2], plaintext: "text".bytes)
      let sealed = try gcm.seal(message)
      #expect(try gcm.open(sealed, as: message) == message.plaintext)
      var other = message
      other.iv[length - 1] ^= 0x80
      #expect(gcm.refusal(sealed, as: other) == .rejected)
      seen.insert(sealed)
    }
    #expect(seen.count == 131)
  }

  /// Made with Python's `cryptography`: key 00…1f, IV 00 01 …, AAD "aad".
  @Test(
    "IVs of other lengths than 12 bytes give what another library gives",
    arguments: [
      (13, "edf138febb2f8d043ddad62512c9b54f50734509f8647db10cc360ac6e929ad770887eeb49fb7857ee7b718b66"),
      (16, "1700c11f57902f50e9dfb44f75d044d674d805ce10e3f3222a4d3ab0fcf66bb16e5ca019d884401554894cae25"),
      (60, "3eadeffdd707a381952149be123a8cae9af4d7cd470cdd7d366119c1a45972be73aa4c727aa60001078dfb3eb0"),
      (128, "eaba814d5f55a92570674e7998e9818fad9b79bff8d6a2ca854c453ec0007e9c99240463cf5ef8b04e89a231d5"),
    ])
  func otherIVs(length: Int, sealed: String) throws {
    var gcm = try AESGCM()
    let message = Message(
      key: Array(0..<32), iv: (0..<length).map { UInt8($0) }, aad: "aad".bytes,
      plaintext: "plaintext of the known answer".bytes)
    #expect(try gcm.seal(message) == sealed.hex)
  }

  @Test("Messages of many lengths come back as they were")
  func lengths() throws {
    var gcm = try AESGCM()
    for length in Array(0...70) + [1023, 1024, 65_535, 65_536, 1_000_003] {
      let message = Message(
        key: Array(0..<32), iv: Array(0..<12), aad: [UInt8](repeating: 7, count: length % 50),
        plaintext: (0..<length).map { UInt8($0 % 251) })
      let sealed = try gcm.seal(message)
      #expect(sealed.count == length + AESGCM.tagBytes)
      #expect(try gcm.open(sealed, as: message) == message.plaintext)
    }
  }

  @Test("Eight threads with a context each open the same message")
  func concurrently() async throws {
    let known = Self.known[8]
    let opened = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          var gcm = try AESGCM()
          var right = 0
          for _ in 0..<200 where try gcm.open(known.sealed, as: known.message) == known.message.plaintext {
            right += 1
          }
          return right
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(opened == 1600)
  }
}
