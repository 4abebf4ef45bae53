// Sealed fields taken apart: versions, dialects, and what is wrong in the seeds' order.

import Contracts
import Testing

@Suite("Field envelopes")
struct FieldEnvelopeTests {
  private static let iv = "oKGio6Slpqeoqaqr"
  private static let sealed = "m7lYCpHaeDWe1AT6Bdn7hX/vjClf+zc="

  /// A copy of what was parsed; an envelope itself only lends its bytes.
  private struct Parsed: Equatable {
    let version: FieldEnvelope.Version
    let decoded: [UInt8]
    let text: String

    init(_ envelope: borrowing FieldEnvelope) {
      version = envelope.version
      decoded = [UInt8](copying: envelope.decoded)
      text = envelope.text
    }
  }

  private func parse(
    _ text: String, _ version: FieldEnvelope.Version = .one
  ) throws(FieldEnvelopeProblem) -> Parsed {
    let bytes = Array(text.utf8)
    return Parsed(try FieldEnvelope(parsing: bytes.span, as: version))
  }

  private func version(_ text: String) -> FieldEnvelope.Version? {
    let bytes = Array(text.utf8)
    return FieldEnvelope.version(of: bytes.span)
  }

  @Test("Only the exact six bytes claim a version; any other text passes by")
  func versions() {
    #expect(version("enc:1:") == .one)
    #expect(version("enc:1:x") == .one)
    #expect(version("enc:2:") == .two)
    for text in [
      "", "e", "enc:1", "enc:", "ENC:1:", " enc:1:", "enc:3:", "enc:11:", "enc:01:", "enc;1:", "enc:1;",
      "\u{FEFF}enc:1:", "enc:\u{661}:",
    ] {
      #expect(version(text) == nil)
    }
  }

  @Test("Both versions are taken apart and put together again", arguments: [FieldEnvelope.Version.one, .two])
  func roundTrip(version: FieldEnvelope.Version) throws {
    let text = (version == .one ? "enc:1:" : "enc:2:") + Self.iv + "." + Self.sealed
    let envelope = try parse(text, version)
    #expect(envelope.version == version)
    #expect(envelope.text == text)
    #expect(envelope.decoded.count == 12 + 23)
    #expect(envelope.decoded.starts(with: 0xA0...0xAB))
    let again = FieldEnvelope(
      version: version, iv: Array(0xA0...0xAB), sealed: Array(envelope.decoded.dropFirst(12)))
    #expect(Parsed(again) == envelope)
    let (madeIV, madeSealed) = ([UInt8](copying: again.iv), [UInt8](copying: again.sealed))
    #expect(madeIV == Array(0xA0...0xAB))
    #expect(madeSealed == Array(envelope.decoded.dropFirst(12)))
    #expect(try parse(text.replacing("m7lY", with: "m7lZ"), version) != envelope)
  }

  @Test("However the base64 of v1 is spelled, the ciphertext is one and the same")
  func forgivingSpellings() throws {
    let plain = try parse("enc:1:\(Self.iv).\(Self.sealed)")
    for spelled in [
      "enc:1:\(Self.iv).\(Self.sealed.dropLast())", "enc:1: \(Self.iv)\n.\t\(Self.sealed) ",
      "enc:1:\(Self.iv).m7lYCpHaeDWe1AT6Bdn7hX/vjClf+zd=", "enc:1:\(Self.iv).m7lY CpHa eDWe 1AT6 Bdn7 hX/v jClf +zc",
    ] {
      #expect(try parse(spelled) == plain)
      #expect(throws: FieldEnvelopeProblem.base64) { try parse("enc:2" + spelled.dropFirst(5), .two) }
    }
    #expect(plain.text == "enc:1:\(Self.iv).\(Self.sealed)")
  }

  @Test("What is wrong is told in the seeds' order: the separator, then the base64 of either half, then the IV")
  func refusals() {
    let cases: [(String, FieldEnvelopeProblem)] = [
      ("enc:1:", .missingSeparator), ("enc:1:\(Self.iv)", .missingSeparator), ("enc:1:!!", .missingSeparator),
      ("enc:1:\(Self.iv)\u{FF0E}\(Self.sealed)", .missingSeparator), ("enc:1:!.AAAA", .base64),
      ("enc:1:AAAA.!", .base64),
      ("enc:1:AAAA.A", .base64), ("enc:1:\(Self.iv).AAAA.AAAA", .base64), ("enc:1:\(Self.iv)..AAAA", .base64),
      ("enc:1:\(Self.iv).AA-_", .base64), ("enc:1:.", .ivLength), ("enc:1:.\(Self.sealed)", .ivLength),
      ("enc:1:AAAA.\(Self.sealed)", .ivLength), ("enc:1:\(Self.iv)AAAA.\(Self.sealed)", .ivLength),
      ("enc:1:oKGio6Slpqeoqao=.\(Self.sealed)", .ivLength), ("enc:1: . ", .ivLength),
    ]
    for (text, problem) in cases { #expect(throws: problem, "\(text)") { try parse(text) } }
    for (text, problem) in cases where !text.contains(" ") {
      #expect(throws: problem, "\(text) as v2") { try parse("enc:2" + text.dropFirst(5), .two) }
    }
    #expect(throws: FieldEnvelopeProblem.base64) { try parse("enc:2: . ", .two) }
  }

  @Test("A ciphertext half shorter than a tag is taken apart; that it cannot open is for the opening to say")
  func shortCiphertext() throws {
    #expect(try parse("enc:1:\(Self.iv).").decoded.count == 12)
    #expect(try parse("enc:2:\(Self.iv).", .two).decoded.count == 12)
    #expect(try parse("enc:1:\(Self.iv).AAAA").decoded.count == 15)
  }

  @Test("Memory that an earlier envelope gave back changes nothing, whatever it held and however long it was")
  func reusing() throws {
    let plain = try parse("enc:1:\(Self.iv).\(Self.sealed)")
    let text = Array(plain.text.utf8)
    for length in [0, 1, 12, 34, 35, 36, 37, 38, 39, 40, 41, 42, 100, 1000] {
      let used = try FieldEnvelope(
        parsing: text.span, as: .one, reusing: [UInt8](repeating: 0xFF, count: length))
      #expect(Parsed(used) == plain)
      let memory = used.recycled()
      #expect(memory.count >= plain.decoded.count)
      // A shorter one behind a longer one shows nothing of it.
      let short = Array("enc:1:\(Self.iv).AAAA".utf8)
      let next = try FieldEnvelope(parsing: short.span, as: .one, reusing: memory)
      let sealed = [UInt8](copying: next.sealed)
      #expect(Parsed(next).decoded == plain.decoded.prefix(12) + [0, 0, 0])
      #expect(sealed == [0, 0, 0])
      #expect(next == (try FieldEnvelope(parsing: short.span, as: .one)))
    }
  }

  @Test("Ciphertext of a version from the future is known for what it is, and other text is not taken for it")
  func unknownVersions() {
    func isUnknown(_ text: String) -> Bool {
      let bytes = Array(text.utf8)
      return FieldEnvelope.isOfUnknownVersion(bytes.span)
    }
    for text in ["enc:0:", "enc:3:x", "enc:10:", "enc:01:", "enc:02:", "enc:99999999999999999999:a.b"] {
      #expect(isUnknown(text))
    }
    for text in [
      "", "enc", "enc:", "enc::", "enc:3", "enc:1:", "enc:2:", "enc:1:x", "enc:x:", "enc:-1:", "ENC:3:", " enc:3:",
      "enc:3 :", "enc:\u{661}:",
    ] {
      #expect(!isUnknown(text))
    }
  }

  @Test("An envelope of one version is never read as the other, nor is text that is no envelope")
  func versionsDoNotMix() {
    let rest = "\(Self.iv).\(Self.sealed)"
    for text in ["", "enc:2:\(rest)", "enc:3:\(rest)", "ENC:1:\(rest)", "123456\(rest)", "abc.de"] {
      #expect(throws: FieldEnvelopeProblem.missingSeparator) { try parse(text, .one) }
    }
    #expect(throws: FieldEnvelopeProblem.missingSeparator) { try parse("enc:1:\(rest)", .two) }
  }
}
