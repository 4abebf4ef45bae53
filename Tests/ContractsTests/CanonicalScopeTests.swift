// The HKDF info of v1: its order, its spelling, and why it was replaced.

import Contracts
import Testing

@Suite("The canonical string of v1")
struct CanonicalScopeTests {
  @Test("Texts sort as JavaScript sorts them, by UTF-16 code units")
  func order() {
    // Surrogates (D800 to DFFF) sort before U+E000 to U+FFFF, so astral characters come first.
    let sorted = ["\u{FF5E}", "\u{1F600}", "\u{E000}"].sorted(by: precedesInUTF16)
    #expect(sorted.map { Identifier($0) } == ["\u{1F600}", "\u{E000}", "\u{FF5E}"].map { Identifier($0) })
    let cased = ["B", "a", "b", "A"].sorted(by: precedesInUTF16)
    #expect(cased == ["A", "B", "a", "b"])
    #expect(precedesInUTF16(decomposed, composed))
    #expect(!precedesInUTF16(composed, decomposed))
    #expect(precedesInUTF16("", "a"))
    #expect(precedesInUTF16("n10", "n9"))
    #expect(!precedesInUTF16("a", "a"))
  }

  @Test("The order is that of the code units for any two scalars")
  func orderAgainstCodeUnits() {
    var random = SeededRandom(seed: 16)
    let texts = (0..<200).map { _ in
      String(
        String.UnicodeScalarView(
          (0..<Int.random(in: 0...4, using: &random)).compactMap { _ in
            let planes: [ClosedRange<UInt32>] = [
              0x61...0x63, 0xE8...0xEA, 0xD7F0...0xD7FF, 0xE000...0xE002, 0xFFF0...0xFFFF, 0x10000...0x10002,
            ]
            return planes.randomElement(using: &random).flatMap {
              Unicode.Scalar(UInt32.random(in: $0, using: &random))
            }
          }))
    }
    var (before, notBefore) = (0, 0)
    for left in texts {
      for right in texts {
        var expected = left.utf16.count < right.utf16.count
        for (one, other) in zip(left.utf16, right.utf16) where one != other {
          expected = one < other
          break
        }
        #expect(precedesInUTF16(left, right) == expected)
        if expected { before += 1 } else { notBefore += 1 }
      }
    }
    #expect(before > 10_000 && notBefore > 10_000)
  }

  @Test("The string sorts, joins, keeps duplicates and escapes nothing")
  func spelling() {
    #expect(
      canonicalScopeV1(tables: ["tasks", "notes"], recordIds: ["tasks:t1", "notes:n1"])
        == "mana-ai-mission-grant:v1:tables=notes,tasks:ids=notes:n1,tasks:t1")
    #expect(
      canonicalScopeV1(tables: ["notes"], recordIds: ["notes:n1", "notes:n1"])
        == "mana-ai-mission-grant:v1:tables=notes:ids=notes:n1,notes:n1")
    #expect(canonicalScopeV1(tables: [], recordIds: []) == "mana-ai-mission-grant:v1:tables=:ids=")
    #expect(
      sameBytes(
        canonicalScopeV1(tables: ["B", "a", "b", "A"], recordIds: ["n:\(composed)", "n:\(decomposed)"]),
        "mana-ai-mission-grant:v1:tables=A,B,a,b:ids=n:\(decomposed),n:\(composed)"))
  }

  @Test("It is not injective: the weakness that v2's frame repairs")
  func collisions() {
    #expect(
      canonicalScopeV1(tables: ["a,b"], recordIds: ["x"]) == canonicalScopeV1(tables: ["a", "b"], recordIds: ["x"]))
    #expect(
      canonicalScopeV1(tables: ["x:ids=y"], recordIds: ["z"])
        == canonicalScopeV1(tables: ["x"], recordIds: ["y:ids=z"]))
  }
}
