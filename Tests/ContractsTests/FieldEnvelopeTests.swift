import Contracts
import Testing

@Suite("Field envelopes")
struct FieldEnvelopeTests {
  private static let iv = "oKGio6Slpqeoqaqr"
  private static let sealed = "m7lYCpHaeDWe1AT6Bdn7hX/vjClf+zc="

  private func parse(_ text: String, _ version: FieldEnvelope.Version = .one) throws(FieldEnvelopeProblem)
    -> FieldEnvelope
  {
    let bytes = Array(text.utf8)
    return try FieldEnvelope(parsing: bytes.span, as: version)
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

  /// Outside of `#expect`, whose macro and a computed Span together crash the compiler of Swift 6.3.
  private func decodedBytes(_ text: String, _ version: FieldEnvelope.Version = .one) throws -> Int {
    let envelope = try parse(text, version)
    return envelope.decoded.count
  }

  @Test("Both versions are taken apart and put together again", arguments: [FieldEnvelope.Version.one, .two])
  func roundTrip(version: FieldEnvelope.Version) throws {
    let text = (version == .one ? "enc:1:" : "enc:2:") + Self.iv + "." + Self.sealed
    let envelope = try parse(text, version)
    #expect(envelope.version == version)
    #expect(envelope.text == text)
    let decoded = envelope.decoded.count
    #expect(decoded == 12 + 23)
    let iv = [UInt8](copying: envelope.iv)
    let sealed = [UInt8](copying: envelope.sealed)
    #expect(iv == Array(0xA0...0xAB) && sealed.count == 23)
    #expect(
      FieldEnvelope(version: version, iv: Array(0xA0...0xAB), sealed: sealed) == envelope
    )
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
    #expect(try decodedBytes("enc:1:\(Self.iv).") == 12)
    #expect(try decodedBytes("enc:2:\(Self.iv).", .two) == 12)
    #expect(try decodedBytes("enc:1:\(Self.iv).AAAA") == 15)
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
