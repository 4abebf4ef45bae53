// How key files are called, and what is not such a name.

import Testing

@testable import Operator

@Suite struct KeyFileNameTests {
  private static let id = "0123456789abcdef0123456789abcdef"

  @Test("A name says date, name and key id, and the last two parts of that may be missing")
  func names() {
    let all = KeyFileName(date: "2026-03-01", name: "resolver", keyId: Self.id)
    #expect(all.text == "2026-03-01.resolver.\(Self.id).pem")
    for name in [
      all, KeyFileName(date: nil, name: "a-b_9", keyId: Self.id), KeyFileName(date: nil, name: nil, keyId: Self.id),
      KeyFileName(date: "2026-03-01", name: nil, keyId: Self.id),
    ] {
      #expect(KeyFileName(name.text) == name)
      #expect(KeyFileName(part: name.partText) == name)
      #expect(KeyFileName(name.partText) == nil && KeyFileName(part: name.text) == nil)
    }
  }

  @Test(
    "Other files are no key files",
    arguments: [
      "", ".pem", "key.pem", "\(id)", "\(id).PEM", "\(id.uppercased()).pem", "\(id)0.pem", "a.b.\(id).pem",
      "resolver.2026-03-01.\(id).pem", "2026-03-01..\(id).pem", "A.\(id).pem", ".\(id).pem", "\(id).\(id).pem",
      "2026-03-01.2026-03-01.\(id).pem",
    ])
  func otherFiles(name: String) { #expect(KeyFileName(name) == nil) }

  @Test(
    "A pair cannot be called like an option, a date, a key id or a path",
    arguments: [
      "", "-a", "_a", "a b", "a/b", "a.b", "Ä", "A", "2026-03-01", id, String(repeating: "a", count: 41), "..", "a\n",
    ])
  func badNames(name: String) { #expect(!KeyFileName.isName(name)) }

  @Test("A pair can be called anything plain", arguments: ["a", "9", "resolver-2026", "a_b", "2026-03"])
  func goodNames(name: String) { #expect(KeyFileName.isName(name)) }
}
