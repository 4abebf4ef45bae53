// The claims of a grant as stored bytes: read back exactly or not at all.

import Contracts
import Cryptography
import Testing

@testable import Grants

@Suite struct GrantLabelTests {
  private static let label = GrantLabel(Ordinary.claims(user: composed, mission: "m:1,\u{1F600}"))

  /// The parts of a good label, one of which a test replaces.
  private func parts(_ replaced: [Int: String] = [:]) -> [UInt8] {
    let label = Self.label
    let good = [
      "mandate/v2/grant", label.grantId.text, label.keyId, label.user.text, label.mission.text, label.issuedAt.iso,
      label.expiresAt.iso, label.scopeDigest,
    ]
    var frame = Frame()
    for (index, part) in good.enumerated() { frame.add(replaced[index] ?? part) }
    return frame.bytes
  }

  @Test("A label is read back as it was written")
  func roundTrip() {
    #expect(parts() == Self.label.bytes)
    #expect(GrantLabel(parsing: Self.label.bytes) == Self.label)
  }

  @Test("A label that is cut off anywhere is none, and neither is one with more behind it")
  func truncation() {
    let bytes = Self.label.bytes
    for count in 0..<bytes.count { #expect(GrantLabel(parsing: Array(bytes.prefix(count))) == nil) }
    for more in [[0], [0, 0, 0, 0], Array(bytes.suffix(68)), bytes] {
      #expect(GrantLabel(parsing: bytes + more) == nil)
    }
  }

  @Test("A label with any bit flipped is none, or one that would be written exactly so and is not the same")
  func flippedBits() {
    let bytes = Self.label.bytes
    var read = 0
    for index in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[index] ^= 1 << bit
        guard let label = GrantLabel(parsing: changed) else { continue }
        #expect(label.bytes == changed && label != Self.label)
        read += 1
      }
    }
    #expect(read > 0 && read < bytes.count * 8)
  }

  @Test(
    "A part that breaks the rule of its member is refused, wherever the label came from",
    arguments: [
      (0, "mandate/v2/grants"), (0, "mandate/v1/grant"), (0, ""), (1, ""), (1, "6B1D2F0A-93C4-4E57-8A1B-0C2D3E4F5A6B"),
      (1, "6b1d2f0a93c44e578a1b0c2d3e4f5a6b"), (1, "grant"), (2, ""), (2, "AB"), (2, String(repeating: "A", count: 32)),
      (2, String(repeating: "a", count: 33)), (3, ""), (3, "a\nb"), (3, String(repeating: "x", count: 257)), (4, ""),
      (4, "\u{85}"), (4, "m\0"), (5, ""), (5, "2026-11-20T07:00:00Z"), (5, "2026-11-20T07:00:00.000+00:00"),
      (5, "2026-02-30T07:00:00.000Z"), (6, "2026-11-27T07:00:00.0000Z"), (6, "2026-11-26T24:00:00.000Z"), (7, ""),
      (7, String(repeating: "A", count: 64)), (7, String(repeating: "a", count: 63)),
      (7, String(repeating: "g", count: 64)),
    ])
  func rules(index: Int, text: String) {
    #expect(GrantLabel(parsing: parts([index: text])) == nil)
  }

  @Test("Claims that differ in any part have different labels, and only the scope's digest stands for its records")
  func injective() {
    let labels = [
      Ordinary.claims(), Ordinary.claims(user: "user"), Ordinary.claims(mission: "mission"),
      Ordinary.claims(user: composed), Ordinary.claims(user: decomposed), Ordinary.claims(scope: scope("notes:n1")),
      Ordinary.claims(scope: scope("notes:n1,tasks:t1")), Ordinary.claims(for: ThrowAway.b),
      Ordinary.claims(user: "user-4f21m", mission: "ission-abc"),
    ].map { GrantLabel($0).bytes }
    #expect(Set(labels).count == labels.count)
  }
}
