// What is kept of a request until it is whole takes the room that its bytes take, in however many pieces they come.

import CLibevent
import Testing

@testable import HTTPServing

@Suite("What is kept of a request")
struct InputBufferTests {
  /// How many chains the kept bytes lie in, and whether they are the ones that came, after pieces of these sizes.
  private func keep(_ sizes: [Int]) -> (chains: Int, isWhole: Bool)? {
    guard let pending = unsafe evbuffer_new() else { return nil }
    defer { unsafe evbuffer_free(pending) }
    var all: [UInt8] = []
    for (turn, size) in sizes.enumerated() {
      // Each read of libevent's finds the input empty, and takes a chain for what it reads.
      guard let input = unsafe evbuffer_new() else { return nil }
      defer { unsafe evbuffer_free(input) }
      let piece = [UInt8](repeating: UInt8(truncatingIfNeeded: turn), count: size)
      all += piece
      unsafe evbuffer_add(input, piece, piece.count)
      unsafe InputBuffer.move(input, to: pending)
      guard unsafe evbuffer_get_length(input) == 0 else { return nil }
    }
    let chains = unsafe Int(evbuffer_peek(pending, -1, nil, nil, 0))
    var out = [UInt8](repeating: 0, count: all.count)
    let count = unsafe evbuffer_copyout(pending, &out, out.count)
    let length = unsafe evbuffer_get_length(pending)
    return (chains, count == all.count && out == all && length == all.count)
  }

  @Test("Ten thousand single bytes lie together, not in ten thousand chains")
  func drip() throws {
    let kept = try #require(keep([Int](repeating: 1, count: 10_000)))
    #expect(kept.isWhole)
    #expect(kept.chains < 20)
  }

  @Test("Small and large pieces stay in their order, and large ones are not copied")
  func mixed() throws {
    let sizes = [1, 5_000, 3, 2_047, 2_048, 2_049, 0, 1, 16_384, 7]
    let kept = try #require(keep(sizes))
    #expect(kept.isWhole && kept.chains >= 4)
  }
}
