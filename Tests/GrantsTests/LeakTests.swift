// Nothing that is secret stays behind: the locked arena is as empty as before, and opened plaintext is nowhere in
// memory once its owner has ended. Each test has a process of its own, where nobody else takes secret memory.

import Contracts
import Cryptography
import Glibc
import MemoryInspection
import Secrets
import Testing

@testable import Grants

@Suite struct LeakTests {
  @Test("Thousands of operations, failing ones too, leave no secret memory behind")
  func arena() async {
    await #expect(processExitsWith: .success) {
      var counter = LeakCounter()
      try counter.run(rounds: 3)  // What is made once and kept, such as the resolver's keys.
      counter = LeakCounter()
      let before = SecretArena.process.bytesInUse
      try counter.run(rounds: 100)
      let after = SecretArena.process.bytesInUse
      print("leaks: \(counter.opened) openings, \(counter.refused) refusals, \(before) bytes before, \(after) after")
      guard before == after, counter.opened > 1000, counter.refused > 3000 else { exit(EXIT_FAILURE) }
    }
  }

  @Test("A key that is alive is counted, so the test above can fail")
  func control() async {
    await #expect(processExitsWith: .success) {
      let before = SecretArena.process.bytesInUse
      let key = try Ordinary.recordKey()
      let during = SecretArena.process.bytesInUse
      exit(during == before + 32 && key.secret.count == 32 ? EXIT_SUCCESS : EXIT_FAILURE)
    }
  }

  @Test("Opened plaintext is in memory while its record lives and nowhere afterwards")
  func plaintext() async {
    await #expect(processExitsWith: .success) {
      let scan = MemoryScan(masked: (0..<48).map { _ in UInt8.random(in: 0x61...0x7A) ^ 0x5A })
      let sealed = try Self.sealedRecord(scan)
      guard try scan.places().isEmpty else { exit(2) }
      do {
        var codec = try FieldCodec()
        let opened = try codec.openRecord1(sealed, key: Ordinary.missionKeyV1())
        guard opened.openedCount == 5, try !scan.places().isEmpty else { exit(3) }
      }
      guard try scan.places().isEmpty else { exit(4) }
      // A record whose last field fails: what was opened before it is gone as well.
      var broken = sealed
      broken.set("last", .string("enc:1:AAAA"))
      var codec = try FieldCodec()
      let key = try Ordinary.missionKeyV1()
      let ending = Ending { () throws(FieldFailure) in _ = try codec.openRecord1(broken, key: key) }
      exit(try ending == .refused(.ciphertextMalformed) && scan.places().isEmpty ? EXIT_SUCCESS : 5)
    }
  }

  /// The pattern in a plain string, in one with an escape, in one with a byte that is no UTF-8, in a list, and behind
  /// a byte-order mark: each takes its own way through memory.
  private static func sealedRecord(_ scan: MemoryScan) throws -> JSONObject {
    var record = JSONObject()
    var codec = try FieldCodec()
    let key = try Ordinary.missionKeyV1()
    let shapes: [(String, [UInt8], [UInt8])] = [
      ("plain", [0x22], [0x22]), ("escaped", [0x22, 0x5C, 0x6E], [0x22]), ("repaired", [0x22, 0xFF], [0x22]),
      ("list", [0x5B, 0x22], [0x22, 0x5D]), ("mark", [0xEF, 0xBB, 0xBF, 0x22], [0x22]),
    ]
    for (index, (name, before, after)) in shapes.enumerated() {
      var message = WipedBytes()
      for byte in before { message.append(byte) }
      for place in 0..<scan.count { message.append(scan.byte(at: place)) }
      for byte in after { message.append(byte) }
      let iv = [UInt8](repeating: UInt8(index), count: 12)
      record.set(name, .string(try codec.seal1(message.bytes, key: key, iv: iv)))
    }
    return record
  }
}

/// Every operation of this target once per round, each with its refusals.
private struct LeakCounter {
  private(set) var opened = 0
  private(set) var refused = 0

  mutating func run(rounds: Int) throws {
    for round in 0..<rounds {
      try derivations()
      try grants(round)
      try keyring(round)
      try fields()
    }
  }

  private mutating func count<Refusal>(_ ending: Ending<Refusal>) {
    if ending == .opened { opened += 1 } else { refused += 1 }
  }

  private mutating func derivations() throws {
    var deriver = try KeyDeriver()
    for length in [0, 31, 32, 33] {
      let master = try secret([UInt8](repeating: 1, count: length))
      for body in 0..<3 {
        do throws(DerivationFailure) {
          switch body {
          case 0: _ = try deriver.missionKeyV1(master: master, mission: "m", tables: ["t"], recordIds: ["t:1"])
          case 1:
            _ = try deriver.missionKeyV2(
              master: master, user: id("u"), mission: id("m"), grantId: id("g"), scope: scope("notes:n1"))
          default: _ = try deriver.recordKey(master: master, user: id("u"), record: record("notes:n1"))
          }
          opened += 1
        } catch { refused += 1 }
      }
    }
  }

  private mutating func grants(_ round: Int) throws {
    let good = try Ordinary.grant().json
    count(Ordinary.open(good))
    count(Ordinary.open(good, now: Ordinary.expiresAt))
    count(Ordinary.open(good, user: "user-9"))
    count(Ordinary.open(good, keys: ResolverKeys()))
    count(Ordinary.open(good, keys: ThrowAway.b.resolver))
    count(Ordinary.open(good.with("grantId", value: .string(Ordinary.otherGrantId))))
    count(Ordinary.open(good.with("wrappedKey", value: .string("AAAA"))))
    let (tooShort, label) = ([UInt8](repeating: 1, count: 31), GrantLabel(Ordinary.claims()).bytes)
    let short = try ThrowAway.a.publicKey.encryptOAEP(tooShort.span, label: label.span)
    count(Ordinary.open(good.with("wrappedKey", value: .string(Base64.encode(short.span)))))

    let derivation = GrantV1.Derivation(missionId: "m", tables: ["notes"], recordIds: ["notes:n1"])
    let v1 = try SealedGrantV1.seal(
      Ordinary.missionKeyV1(), for: ThrowAway.a.publicKey, derivation: derivation, issuedAt: Ordinary.issuedAt,
      expiresAt: Ordinary.expiresAt
    ).json
    for grant in [
      v1, v1.with("derivation", value: nil), v1.with("expiresAt", value: nil),
      v1.with("wrappedKey", value: .string("AAAA")),
    ] {
      count(
        Ending { () throws(GrantFailure) in
          try SealedGrantV1.withOpen(grant, keys: ThrowAway.a.resolver, now: Ordinary.during) { _ in () }
        })
    }
  }

  private mutating func keyring(_ round: Int) throws {
    var cipher = try AESGCM()
    let claims = Ordinary.claims()
    let missionKey = try Ordinary.missionKey(claims)
    let row = try KeyringRow.seal(
      Ordinary.recordKey(), under: missionKey, grantId: claims.grantId, record: record("notes:n1"),
      nonce: [UInt8](repeating: UInt8(round), count: 12), with: &cipher)
    for (name, row) in [("notes:n1", row), ("notes:n2", row), ("notes:n1", Array(row.dropLast())), ("notes:n1", [])] {
      count(
        Ending { () throws(FieldFailure) in
          _ = try KeyringRow.open(row, under: missionKey, grantId: claims.grantId, record: record(name), with: &cipher)
        })
    }
  }

  private mutating func fields() throws {
    var fields = try Fields()
    for version in [FieldEnvelope.Version.one, .two] {
      for message in ["\"a\"", "[1,2]", "broken", "\"\u{1F600}\"", "null"] {
        let text = Array(try fields.seal(version, Array(message.utf8)).utf8)
        for changed in [
          text, Array(text.dropLast()), text + [0x41], Array(text.dropFirst()), text.dropLast(3) + [0x41, 0x41, 0x41],
        ] {
          if case .success = fields.open(version, changed) { opened += 1 } else { refused += 1 }
        }
      }
    }
  }
}
