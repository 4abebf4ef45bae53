// Comparison sees every difference. That it takes the same time for each cannot be tested on a shared machine; it
// follows from the loop, which looks at every byte and decides once.

import Testing

@testable import Secrets

@Suite struct ConstantTimeTests {
  @Test("Every difference of one bit is seen, in every place")
  func everyBit() {
    let left = (0..<64).map { UInt8($0 * 4) }
    var refused = 0
    for bit in 0..<left.count * 8 {
      var right = left
      right[bit / 8] ^= 1 << UInt8(bit % 8)
      if !equal(left, right) { refused += 1 }
    }
    #expect(refused == 512)
    #expect(equal(left, left))
  }

  @Test("Differences in several bytes do not cancel each other out")
  func noCancelling() {
    #expect(!equal([1, 1], [0, 0]))
    #expect(!equal([0xFF, 0x00], [0x00, 0xFF]))
  }

  @Test("Another length is another value, and nothing equals nothing")
  func lengths() {
    #expect(!equal([0], [0, 0]))
    #expect(!equal([0, 0], []))
    #expect(equal([], []))
  }

  private func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool { ConstantTime.equal(left.span, right.span) }
}
