// What a holder of a secret may rely on.

import MemoryInspection
import Testing

@testable import Secrets

@Suite struct SecretBytesTests {
  @Test("A new secret is all zeroes, also where another one has just been")
  func startsZeroed() throws {
    let arena = try SecretArena(bytes: 4096)
    for count in [1, 31, 32, 33, 500] {
      do {
        var used = try SecretBytes(zeroed: count, in: arena)
        var bytes = used.mutableBytes
        for index in bytes.indices { bytes[index] = 0xA5 }
      }
      let next = try SecretBytes(zeroed: count, in: arena)
      var sum = 0
      for index in next.bytes.indices { sum += Int(next.bytes[index]) }
      #expect(next.count == count)
      #expect(sum == 0)
    }
  }

  @Test("A secret that ends leaves zeroes behind, and only in its own slice")
  func wiped() throws {
    let arena = try SecretArena(bytes: 4096)
    let neighbours = [UInt8](repeating: 0x5A, count: 64)
    let left = try SecretBytes(copying: neighbours.span, in: arena)
    // First fit: slices of 64 bytes stand side by side, at 0, 64 and 128.
    let gap = try arena.take(64)
    let right = try SecretBytes(copying: neighbours.span, in: arena)
    arena.giveBack(offset: gap, count: 64)
    do {
      let filling = [UInt8](repeating: 0xA5, count: 64)
      let secret = try SecretBytes(copying: filling.span, in: arena)
      let count = secret.count
      #expect(count == 64)
      #expect(peek(arena, at: gap, count: 64) == filling)
    }
    #expect(peek(arena, at: gap, count: 64) == [UInt8](repeating: 0, count: 64))
    let untouched = left.equals(neighbours.span) && right.equals(neighbours.span)
    #expect(untouched)
  }

  @Test("Of a secret that ends, nothing is left anywhere in the process", .enabled(if: Sanitizer.isAbsent))
  func leavesNothing() throws {
    let pattern = MemoryScan(random: 32)
    do {
      var secret = try SecretBytes(zeroed: 32)
      var bytes = secret.mutableBytes
      pattern.fill(&bytes)
      let places = try pattern.places()
      #expect(places.count == 1)
      #expect(places.allSatisfy { $0.flags.contains("lo") })
    }
    #expect(try pattern.places().isEmpty)
  }

  @Test("A copy is independent of its source")
  func copies() throws {
    let original: [UInt8] = [1, 2, 3]
    var source = original
    let secret = try SecretBytes(copying: source.span)
    source[0] = 9
    let (same, changed) = (secret.equals(original.span), secret.equals(source.span))
    #expect(same)
    #expect(!changed)
  }

  @Test("Secrets compare by their bytes")
  func compares() throws {
    let (bytes, others): ([UInt8], [UInt8]) = ([1, 2, 3], [1, 2, 4])
    let left = try SecretBytes(copying: bytes.span)
    let right = try SecretBytes(copying: bytes.span)
    let other = try SecretBytes(copying: others.span)
    let (same, different) = (left.equals(right), left.equals(other))
    #expect(same)
    #expect(!different)
  }

  @Test("A secret of no bytes is a secret like any other")
  func empty() throws {
    let arena = try SecretArena(bytes: 4096)
    do {
      var secret = try SecretBytes(zeroed: 0, in: arena)
      let (count, readable) = (secret.count, secret.bytes.count)
      let writable = secret.mutableBytes.count
      #expect((count, readable, writable) == (0, 0, 0))
    }
    #expect(arena.bytesInUse == 0)
  }

  @Test("Asking a secret for its text shows none of it")
  func redacted() throws {
    let password = Array("hunter2".utf8)
    let secret = try SecretBytes(copying: password.span)
    let text = secret.description
    #expect(text == "<redacted>")
    let plaintext = WipedBytes(copying: password.span)
    let other = plaintext.description
    #expect(other == "<redacted>")
  }

  @Test("A negative length stops the program")
  func negative() async {
    await #expect(processExitsWith: .failure) { _ = try SecretBytes(zeroed: -1) }
  }
}

/// The only look behind the wall: what lies in the arena, whoever it belongs to.
func peek(_ arena: SecretArena, at offset: Int, count: Int) -> [UInt8] {
  (offset..<offset + count).map { unsafe arena.pointer(at: $0).load(as: UInt8.self) }
}
