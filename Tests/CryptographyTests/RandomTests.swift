// Random bytes cannot be tested for being random, only for not being anything else.

import Secrets
import Testing

@testable import Cryptography

@Suite struct RandomTests {
  @Test("Draws have the wanted length and differ")
  func differ() throws {
    var seen: Set<[UInt8]> = []
    for _ in 0..<1000 {
      let bytes = try SecureRandom.bytes(16)
      #expect(bytes.count == 16)
      seen.insert(bytes)
    }
    #expect(seen.count == 1000)
    let one = try SecureRandom.secret(32)
    let other = try SecureRandom.bytes(32)
    let same = one.equals(other.span)
    #expect(!same)
  }

  @Test("Every byte of a span is drawn")
  func fills() throws {
    // One byte is zero in 256 draws; a thousand draws of a place that is never written are a thousand zeroes.
    var touched = [Bool](repeating: false, count: 33)
    for _ in 0..<1000 {
      var bytes = [UInt8](repeating: 0, count: 33)
      var span = bytes.mutableSpan
      try SecureRandom.fill(&span)
      for (index, byte) in bytes.enumerated() where byte != 0 { touched[index] = true }
    }
    #expect(touched.allSatisfy { $0 })
  }

  @Test("Nothing may be drawn, and more than locked memory holds is refused")
  func edges() throws {
    #expect(try SecureRandom.bytes(0) == [])
    let none = try SecureRandom.secret(0)
    let count = none.count
    #expect(count == 0)
    let error = failure { () throws(CryptographyError) in _ = try SecureRandom.secret(1 << 30) }
    #expect(error == .outOfLockedMemory)
    let tooLong = failure { () throws(CryptographyError) in _ = try SecureRandom.bytes(1 << 31) }
    #expect(tooLong == .tooLong)
  }
}
