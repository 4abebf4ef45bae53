// What AES-GCM must refuse, and what it must leave behind when it does.

import MemoryInspection
import Secrets
import Testing

@testable import Cryptography

@Suite struct AESGCMRefusalTests {
  let message = Message(
    key: Array(0..<32), iv: Array(100..<112), aad: "who may read this".bytes, plaintext: "short text".bytes)

  @Test("Every changed bit of a sealed message, its key, IV and AAD is refused, in one and the same way")
  func everyBit() throws {
    var gcm = try AESGCM()
    let sealed = try gcm.seal(message)
    var refused = 0
    for bit in 0..<sealed.count * 8 {
      var changed = sealed
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      if gcm.refusal(changed, as: message) == .rejected { refused += 1 }
    }
    for part in [\Message.key, \Message.iv, \Message.aad] {
      for bit in 0..<message[keyPath: part].count * 8 {
        var other = message
        other[keyPath: part][bit / 8] ^= 1 << UInt8(bit % 8)
        if gcm.refusal(sealed, as: other) == .rejected { refused += 1 }
      }
    }
    #expect(refused == (26 + 32 + 12 + 17) * 8)
    #expect(try gcm.open(sealed, as: message) == message.plaintext)
  }

  @Test("A message that is cut short or has a byte more is refused")
  func lengths() throws {
    var gcm = try AESGCM()
    let sealed = try gcm.seal(message)
    for count in 0..<sealed.count { #expect(gcm.refusal(Array(sealed.prefix(count)), as: message) == .rejected) }
    #expect(gcm.refusal(sealed + [0], as: message) == .rejected)
    #expect(gcm.refusal([0] + sealed, as: message) == .rejected)
  }

  @Test("A refused message leaves zeroes where its plaintext would be", arguments: [12, 300])
  func wiped(ivBytes: Int) throws {
    var gcm = try AESGCM()
    var message = message
    message.iv = [UInt8](repeating: 5, count: ivBytes)
    var sealed = try gcm.seal(message)
    sealed[sealed.count - 1] ^= 1
    var output = [UInt8](repeating: 0xEE, count: message.plaintext.count)
    var span = output.mutableSpan
    let error = failure { () throws(CryptographyError) in
      try gcm.open(sealed.span, key: message.key.span, iv: message.iv.span, aad: message.aad.span, into: &span)
    }
    #expect(error == .rejected)
    #expect(output == [UInt8](repeating: 0, count: 10))
  }

  @Test("An IV of no bytes is refused on both sides")
  func noIV() throws {
    var gcm = try AESGCM()
    let sealed = try gcm.seal(message)
    var other = message
    other.iv = []
    #expect(gcm.refusal(sealed, as: other) == .rejected)
    let error = failure { () throws(CryptographyError) in _ = try gcm.seal(other) }
    #expect(error == .rejected)
    #expect(try gcm.open(sealed, as: message) == message.plaintext)
  }

  @Test("What OpenSSL could not count is too long")
  func tooLong() {
    let most = AESGCM.longestMessage
    let errors = [(most, 12, 0), (0, most, 0), (0, 12, most), (most + 1, 12, 0), (0, most + 1, 0), (0, 12, most + 1)]
      .map {
        (message, iv, aad) in
        failure { () throws(CryptographyError) in try AESGCM.check(message: message, iv: iv, aad: aad) }
      }
    #expect(errors == [nil, nil, nil, .tooLong, .tooLong, .tooLong])
  }

  @Test("A key of another size than 16, 24 or 32 bytes is refused", arguments: [0, 1, 15, 17, 31, 33, 64])
  func keySizes(count: Int) throws {
    var gcm = try AESGCM()
    let sealed = try gcm.seal(message)
    var other = message
    other.key = [UInt8](repeating: 0, count: count)
    #expect(gcm.refusal(sealed, as: other) == .broken("an AES key has 16, 24 or 32 bytes"))
    other.iv = [UInt8](repeating: 1, count: 200)
    #expect(gcm.refusal(sealed, as: other) == .broken("an AES key has 16, 24 or 32 bytes"))
    #expect(try gcm.open(sealed, as: message) == message.plaintext)
  }

  @Test("An output of another size than the message stops the program")
  func outputSizes() async {
    await #expect(processExitsWith: .failure) {
      var gcm = try AESGCM()
      let (key, text) = ([UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 20))
      var output = [UInt8](repeating: 0, count: 35)
      var span = output.mutableSpan
      try gcm.seal(text.span, key: key.span, iv: key.span, aad: key.span, into: &span)
    }
    await #expect(processExitsWith: .failure) {
      var gcm = try AESGCM()
      let (key, text) = ([UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 20))
      var output = [UInt8](repeating: 0, count: 5)
      var span = output.mutableSpan
      try gcm.open(text.span, key: key.span, iv: key.span, aad: key.span, into: &span)
    }
  }

  @Test(
    "A forgotten key is in no memory of the process; an unforgotten one is in the cipher's",
    .enabled(if: Sanitizer.isAbsent))
  func keySchedule() throws {
    let secret = MemoryScan(random: 32)
    var gcm = try AESGCM()
    do {
      var key = try SecretBytes(zeroed: 32)
      var span = key.mutableBytes
      secret.fill(&span)
      _ = try gcm.seal(message.plaintext.span, key: key.bytes, iv: message.iv.span, aad: message.aad.span)
      #expect(try secret.places().count == 2)
    }
    // The first round keys of AES-256 are the key itself.
    #expect(try secret.places().count == 1)
    gcm.forgetKey()
    #expect(try secret.places().isEmpty)
  }

  @Test("A cipher that ends takes its key along", .enabled(if: Sanitizer.isAbsent))
  func ends() throws {
    let secret = MemoryScan(random: 32)
    do {
      var gcm = try AESGCM()
      var key = try SecretBytes(zeroed: 32)
      var span = key.mutableBytes
      secret.fill(&span)
      _ = try gcm.seal(message.plaintext.span, key: key.bytes, iv: message.iv.span, aad: message.aad.span)
    }
    #expect(try secret.places().isEmpty)
  }
}

/// The path for IVs beyond 128 bytes, held against OpenSSL's own where both can go.
@Suite struct AESGCMLongIVTests {
  @Test("Built from its parts, GCM gives what OpenSSL gives", arguments: [16, 24, 32])
  func sameAsOpenSSL(keyBytes: Int) throws {
    var gcm = try AESGCM()
    var compared = 0
    for length in Array(1...11) + Array(13...128) {
      let message = Message(
        key: (0..<keyBytes).map { UInt8($0) }, iv: (0..<length).map { UInt8(255 - $0) },
        aad: [UInt8](repeating: 3, count: length % 37), plaintext: [UInt8](repeating: 4, count: length % 53))
      let sealed = try gcm.seal(message)
      var own = [UInt8](repeating: 0, count: sealed.count)
      var span = own.mutableSpan
      try AESGCMLongIV.seal(
        message.plaintext.span, key: message.key.span, iv: message.iv.span, aad: message.aad.span, into: &span)
      if own == sealed { compared += 1 }
      var opened = [UInt8](repeating: 0, count: message.plaintext.count)
      var openedSpan = opened.mutableSpan
      try AESGCMLongIV.open(
        sealed.span, key: message.key.span, iv: message.iv.span, aad: message.aad.span, into: &openedSpan)
      #expect(opened == message.plaintext)
    }
    #expect(compared == 127)
  }

  @Test("The counter comes round in its last four bytes alone")
  func counterWraps() throws {
    let key = [UInt8](repeating: 9, count: 16)
    let (prefix, text) = ([UInt8](repeating: 0xAB, count: 12), [UInt8](repeating: 0, count: 80))
    func stream(after counter: [UInt8], count: Int) throws -> [UInt8] {
      let first = prefix + counter
      var output = [UInt8](repeating: 0, count: count)
      var span = output.mutableSpan
      try AESGCMLongIV.encrypt(text.span.extracting(0..<count), key: key.span, first: first.span, into: &span)
      return output
    }
    let whole = try stream(after: [0xFF, 0xFF, 0xFF, 0xFD], count: 80)
    let apart =
      try stream(after: [0xFF, 0xFF, 0xFF, 0xFD], count: 16) + stream(after: [0xFF, 0xFF, 0xFF, 0xFE], count: 16)
      + stream(after: [0xFF, 0xFF, 0xFF, 0xFF], count: 16) + stream(after: [0, 0, 0, 0], count: 16)
      + stream(after: [0, 0, 0, 1], count: 16)
    #expect(whole == apart)
    #expect(Set(stride(from: 0, to: 80, by: 16).map { Array(whole[$0..<$0 + 16]) }).count == 5)
  }
}
