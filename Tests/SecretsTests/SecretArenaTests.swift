// The allocator: first fit, neighbours merged, full means refused.

import Testing

@testable import Secrets

@Suite struct SecretArenaTests {
  let arena: SecretArena

  init() throws { arena = try SecretArena(bytes: 4096) }

  @Test("Slices begin on 32-byte boundaries and never overlap")
  func boundaries() throws {
    var taken: [(offset: Int, count: Int)] = []
    for count in [1, 32, 33, 64, 7, 100] { taken.append((try arena.take(count), count)) }
    for (index, slice) in taken.enumerated() {
      #expect(slice.offset % 32 == 0)
      for other in taken[..<index] {
        #expect(slice.offset + slice.count <= other.offset || other.offset + other.count <= slice.offset)
      }
    }
    for slice in taken { arena.giveBack(offset: slice.offset, count: slice.count) }
    #expect(arena.bytesInUse == 0)
  }

  @Test("A full arena refuses, and gives again what comes back")
  func full() throws {
    var offsets: [Int] = []
    for _ in 0..<(4096 / 32) { offsets.append(try arena.take(32)) }
    #expect(arena.bytesInUse == 4096)
    #expect(throws: SecretError.arenaFull) { try arena.take(1) }
    arena.giveBack(offset: offsets[17], count: 32)
    #expect(try arena.take(20) == offsets[17])
    #expect(throws: SecretError.arenaFull) { try arena.take(1) }
    for offset in offsets { arena.giveBack(offset: offset, count: 32) }
    #expect(arena.bytesInUse == 0)
  }

  @Test("A request beyond the arena is refused, however absurd", arguments: [4097, 1 << 30, Int.max])
  func beyond(count: Int) {
    #expect(throws: SecretError.arenaFull) { try arena.take(count) }
    #expect(throws: SecretError.arenaFull) { _ = try SecretBytes(zeroed: count, in: arena) }
    #expect(arena.bytesInUse == 0)
  }

  @Test("The first hole that is large enough is used")
  func firstFit() throws {
    let offsets = try (0..<6).map { _ in try arena.take(64) }
    arena.giveBack(offset: offsets[1], count: 64)
    arena.giveBack(offset: offsets[4], count: 64)
    #expect(try arena.take(32) == offsets[1])
    #expect(try arena.take(64) == offsets[4])
    #expect(try arena.take(32) == offsets[1] + 32)
  }

  @Test("Slices that come back grow together again, in whatever order")
  func merging() throws {
    var orders: [[Int]] = [[]]
    for _ in 0..<4 {
      orders = orders.flatMap { order in (0..<4).filter { !order.contains($0) }.map { order + [$0] } }
    }
    #expect(orders.count == 24)
    for order in orders {
      let offsets = try (0..<4).map { _ in try arena.take(1024) }
      for index in order { arena.giveBack(offset: offsets[index], count: 1024) }
      let whole = try arena.take(4096)
      #expect(whole == 0)
      arena.giveBack(offset: whole, count: 4096)
    }
  }

  @Test("Many threads take and give back at once, and nobody meets another's bytes")
  func concurrently() async throws {
    let arena = try SecretArena(bytes: 1 << 16)
    let strangers = await withTaskGroup(of: Int.self) { group in
      for worker in 0..<8 {
        group.addTask {
          var strangers = 0
          for round in 0..<500 {
            guard var secret = try? SecretBytes(zeroed: 1 + (round * 37 + worker) % 200, in: arena) else { return -1 }
            var bytes = secret.mutableBytes
            for index in bytes.indices where bytes[index] != 0 { strangers += 1 }
            for index in bytes.indices { bytes[index] = UInt8(worker + 1) }
            for index in bytes.indices where bytes[index] != UInt8(worker + 1) { strangers += 1 }
          }
          return strangers
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(strangers == [Int](repeating: 0, count: 8))
    #expect(arena.bytesInUse == 0)
  }
}
