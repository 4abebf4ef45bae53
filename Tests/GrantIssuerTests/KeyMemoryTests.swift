// What stays of a key in the process that made it. The answer's body is the one place; when its owner ends, there is none.
// In a process of its own, where no other test has keys in memory.

import Contracts
import Glibc
import MemoryInspection
import Secrets
import Testing

@testable import GrantIssuer

@Suite struct KeyMemoryTests {
  @Test(
    "A key is in memory while the answer lives that carries it, and nowhere afterwards",
    .enabled(if: Sanitizer.isAbsent))
  func handouts() async {
    await #expect(processExitsWith: .success) {
      try await Office.with { office in
        let anna = try caller("anna")
        let made = try Self.look(into: await office.issuer.initVault(of: anna))
        guard made.during == 1, try made.text.places().isEmpty, try made.key.places().isEmpty else { exit(2) }
        let fetched = try Self.look(into: await office.issuer.fetchKey(of: anna))
        guard fetched.during == 1, try made.text.places().isEmpty, try made.key.places().isEmpty else { exit(3) }
        try await office.addRecord("anna", "notes", "n1")
        let issued = await office.issuer.issueGrant(try wish("m", ["n1"]), by: anna)
        guard issued.problem == nil, try made.key.places().isEmpty else { exit(4) }
        let rotated = try Self.look(into: await office.issuer.rotateKey(of: anna))
        guard rotated.during == 1, try rotated.text.places().isEmpty, try rotated.key.places().isEmpty else { exit(5) }
      }
      exit(EXIT_SUCCESS)
    }
  }

  private struct Seen {
    /// Of the key's base64 and of its bytes.
    let text: MemoryScan
    let key: MemoryScan
    /// How often the base64 was there while the answer lived.
    let during: Int
  }

  private static func look(into reply: consuming Result<KeyReply, IssuerProblem>) throws -> Seen {
    let body = try reply.get().intoBody()
    // Behind `{"masterKey":"`; each byte is masked as it is read, so that no second copy comes into being.
    let (start, count) = (14, 44)
    var (masked, decoded): ([UInt8], [UInt8]) = ([], [])
    var (gathered, bits): (UInt32, Int) = (0, 0)
    for index in start..<start + count {
      let character = body.bytes[index]
      masked.append(character ^ 0x5A)
      guard character != UInt8(ascii: "=") else { continue }
      gathered = gathered << 6 | value(character)
      bits += 6
      if bits >= 8 {
        bits -= 8
        decoded.append(UInt8(truncatingIfNeeded: gathered >> UInt32(bits)) ^ 0x5A)
      }
    }
    guard decoded.count == 32 else { exit(6) }
    let text = MemoryScan(masked: masked)
    return Seen(text: text, key: MemoryScan(masked: decoded), during: try text.places().count)
  }

  private static func value(_ character: UInt8) -> UInt32 {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character) - 0x41
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character) - 0x61 + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character) - 0x30 + 52
    case UInt8(ascii: "+"): 62
    default: 63
    }
  }
}
