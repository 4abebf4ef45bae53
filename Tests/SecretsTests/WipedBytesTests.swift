// Plaintext that grows, shrinks and goes leaves nothing behind.

import MemoryInspection
import Testing

@testable import Secrets

@Suite struct WipedBytesTests {
  @Test("Bytes that come into being are zero")
  func zeroed() {
    var bytes = WipedBytes()
    bytes.append([1, 2, 3].span)
    bytes.resize(to: 100)
    var sum = 0
    for index in bytes.bytes.indices { sum += Int(bytes.bytes[index]) }
    let count = bytes.count
    #expect(count == 100)
    #expect(sum == 6)
  }

  @Test("Bytes that were cut off do not come back")
  func shrinks() {
    var bytes = WipedBytes(copying: [UInt8](repeating: 0xA5, count: 50).span)
    bytes.resize(to: 10)
    bytes.resize(to: 50)
    let expected = [UInt8](repeating: 0xA5, count: 10) + [UInt8](repeating: 0, count: 40)
    let same = ConstantTime.equal(bytes.bytes, expected.span)
    #expect(same)
  }

  @Test("Cutting off wipes at once", .enabled(if: Sanitizer.isAbsent))
  func cutsOff() throws {
    let secret = MemoryScan(random: 64)
    var bytes = filled(secret)
    #expect(try secret.places().count == 1)
    bytes.resize(to: bytes.count - 4)
    #expect(try secret.places().isEmpty)
  }

  @Test("Appending byte by byte and in pieces gives the same bytes")
  func appends() {
    var expected: [UInt8] = []
    var bytes = WipedBytes(capacity: 1)
    for round in 0..<200 {
      let piece = [UInt8](repeating: UInt8(round), count: round % 7)
      bytes.append(UInt8(round))
      bytes.append(piece.span)
      expected.append(UInt8(round))
      expected += piece
    }
    let same = ConstantTime.equal(bytes.bytes, expected.span)
    #expect(same)
  }

  @Test("Growing keeps what is there and leaves nothing in the homes it has had", .enabled(if: Sanitizer.isAbsent))
  func grows() throws {
    let secret = MemoryScan(random: 48)
    do {
      var bytes = filled(secret)
      #expect(try secret.places().count == 1)
      for size in [500, 5000, 1 << 20] {
        bytes.reserve(size)
        bytes.resize(to: size)
        #expect(try secret.places().count == 1)
      }
      let kept = (0..<48).allSatisfy { bytes.bytes[padding + $0] == secret.byte(at: $0) }
      #expect(kept)
    }
    #expect(try secret.places().isEmpty)
  }

  @Test("A buffer that ends leaves nothing, also beyond its length", .enabled(if: Sanitizer.isAbsent))
  func ends() throws {
    let secret = MemoryScan(random: 32)
    do {
      let bytes = filled(secret)
      let count = bytes.count
      #expect(count == padding + 32)
      #expect(try secret.places().count == 1)
    }
    #expect(try secret.places().isEmpty)
  }

  /// The allocator overwrites the first bytes of what it gets back, which would look like a wipe.
  private let padding = 200

  private func filled(_ secret: MemoryScan) -> WipedBytes {
    var bytes = WipedBytes()
    for _ in 0..<padding { bytes.append(0) }
    for index in 0..<secret.count { bytes.append(secret.byte(at: index)) }
    return bytes
  }
}
