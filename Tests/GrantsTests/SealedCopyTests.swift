// Sealed copies: served for the very ciphertext they were made from, and never for another.

import Contracts
import Cryptography
import Secrets
import Testing

@testable import Grants

@Suite struct SealedCopyTests {
  private static let message = Array("\"written long ago\"".utf8)
  private static let place = Fields.place

  /// What a client of today writes: enc:1 under the master key.
  private func current(_ message: [UInt8] = message, iv: [UInt8] = Fields.iv) throws -> String {
    var cipher = try AESGCM()
    let master = ThrowAway.masterKey
    let sealed: [UInt8] = try cipher.seal(message.span, key: master.span, iv: iv.span, aad: Span<UInt8>())
    return FieldEnvelope(version: .one, iv: iv, sealed: sealed).text
  }

  private func copy(of current: String, place: FieldPlace = place, key: String = "notes:n1") throws -> SealedCopy {
    var codec = try FieldCodec()
    let envelope = try FieldEnvelope(parsing: current.utf8.span, as: .one)
    let message = Self.message
    let recordKey = try Ordinary.recordKey(key)
    return try codec.sealCopy(message.span, of: envelope, key: recordKey, place: place, iv: Array(0xB0...0xBB))
  }

  private func open(
    _ copy: SealedCopy?, _ current: String, place: FieldPlace = place, key: String = "notes:n1"
  ) throws -> Ending<FieldRefusal> {
    var codec = try FieldCodec()
    let recordKey = try Ordinary.recordKey(key)
    let before = Array("kept".utf8)
    var plaintext = WipedBytes(copying: before.span)
    let ending = Ending { () throws(FieldFailure) in
      let value = try codec.openCopy(copy, for: current.utf8.span, key: recordKey, place: place, onto: &plaintext)
      #expect([UInt8](copying: plaintext.bytes.extracting(value.range)) == Self.message)
    }
    #expect(ending == .opened || [UInt8](copying: plaintext.bytes) == before)
    return ending
  }

  @Test("A copy opens for the very ciphertext it was made from, however that is spelled")
  func opens() throws {
    let current = try current()
    let copy = try copy(of: current)
    #expect(try open(copy, current) == .opened)
    #expect(try open(copy, current.replacing("=", with: "")) == .opened)
    #expect(try open(copy, current.replacing(".", with: " . \n")) == .opened)
    #expect(copy.of == Hex.encode(SHA256.digest(Fields.iv + (try decoded(current).dropFirst(12)))))
  }

  private func decoded(_ text: String) throws -> [UInt8] {
    let envelope = try FieldEnvelope(parsing: text.utf8.span, as: .one)
    return [UInt8](copying: envelope.decoded)
  }

  @Test("An edited field is not sealed yet, and no older copy is served for it")
  func stale() throws {
    let old = try current()
    let copy = try copy(of: old)
    for newer in [try current(Array("\"new\"".utf8)), try current(iv: [UInt8](repeating: 1, count: 12))] {
      #expect(try open(copy, newer) == .refused(.notSealedYet))
      #expect(try open(nil, newer) == .refused(.notSealedYet))
      #expect(try open(.refused(of: copy.of, .movedCiphertext), newer) == .refused(.notSealedYet))
    }
    let bytes = try decoded(old)
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= 1
      let text = FieldEnvelope(version: .one, iv: Array(changed.prefix(12)), sealed: Array(changed.dropFirst(12))).text
      #expect(try open(copy, text) == .refused(.notSealedYet))
    }
  }

  @Test("A stale copy that claims the new digest does not open")
  func relabelled() throws {
    guard case .value(_, let text) = try copy(of: current()) else { throw Unexpected() }
    let newer = try current(Array("\"new\"".utf8))
    let forged = SealedCopy.value(
      of: SealedCopy.digest(of: try FieldEnvelope(parsing: newer.utf8.span, as: .one)), text)
    #expect(try open(forged, newer) == .refused(.ciphertextTampered))
  }

  @Test("A refused entry is given as it stands, and only for its own ciphertext")
  func refused() throws {
    let current = try current()
    let entry = SealedCopy.refused(of: try copy(of: current).of, .movedCiphertext)
    #expect(try open(entry, current) == .refused(.movedCiphertext))
  }

  @Test("A copy opens in no other place and under no other record's key")
  func moved() throws {
    let current = try current()
    let copy = try copy(of: current)
    let names = ["notes:n2", "tasks:n1", "note:sn1"]
    for name in names {
      let place = FieldPlace(user: id(Ordinary.user), record: record(name), field: "title")
      #expect(try open(copy, current, place: place) == .refused(.ciphertextTampered))
      #expect(try open(copy, current, key: name) == .refused(.ciphertextTampered))
    }
    for place in [
      FieldPlace(user: id("user-9"), record: record("notes:n1"), field: "title"),
      FieldPlace(user: id(Ordinary.user), record: record("notes:n1"), field: "content"),
      FieldPlace(user: id(Ordinary.user), record: record("notes:n1"), field: ""),
    ] { #expect(try open(copy, current, place: place) == .refused(.ciphertextTampered)) }
  }

  @Test("A copy is no field, and a field is no copy")
  func otherDomain() throws {
    let current = try current()
    guard case .value(let of, let text) = try copy(of: current) else { throw Unexpected() }
    var fields = try Fields()
    #expect(fields.open(.two, text) == .failure(.refused(.ciphertextTampered)))
    let field = try fields.seal(.two, Self.message)
    #expect(try open(.value(of: of, field), current) == .refused(.ciphertextTampered))
    #expect(try open(.value(of: of, current), current) == .refused(.ciphertextMalformed))
    #expect(try open(.value(of: of, ""), current) == .refused(.ciphertextMalformed))
  }

  @Test(
    "What stands in the record must be an enc:1 text itself",
    arguments: [
      ("", FieldRefusal.ciphertextMalformed), ("enc:1:", .ciphertextMalformed), ("enc:1:AAAA", .ciphertextMalformed),
      ("enc:2:", .ciphertextMalformed), ("enc:1:!.!", .decryptFailed), ("enc:1:AAAA.AAAA", .decryptFailed),
    ])
  func currentShape(text: String, reason: FieldRefusal) throws {
    let copy = try copy(of: current())
    #expect(try open(copy, text) == .refused(reason))
    #expect(try open(nil, text) == .refused(reason))
  }

  @Test("Another prefix before the right bytes is no enc:1 text")
  func prefix() throws {
    let current = try current()
    let copy = try copy(of: current)
    for prefix in ["enc:2:", "enc:3:", "ENC:1:", "xxxxxx", ""] {
      #expect(try open(copy, prefix + current.dropFirst(6)) == .refused(.ciphertextMalformed))
    }
  }

  @Test("An entry's JSON is read as it is written, and anything else counts as none")
  func json() throws {
    let copy = try copy(of: current())
    let refused = SealedCopy.refused(of: copy.of, .movedCiphertext)
    for entry in [copy, refused] { #expect(SealedCopy(try JSONValue(parsing: entry.json.compactText())) == entry) }
    #expect(refused.json.compactText() == "{\"of\":\"\(copy.of)\",\"refused\":\"moved-ciphertext\"}")
    let unreadable: [JSONValue] = [
      .null, .string("x"), .array([copy.json]), .object(JSONObject()), copy.json.with("of", value: nil),
      copy.json.with("of", value: .string(copy.of.uppercased())), copy.json.with("of", value: .string(copy.of + "00")),
      copy.json.with("of", value: .number(JSONNumber(1))), copy.json.with("value", value: nil),
      copy.json.with("value", value: .null), copy.json.with("refused", value: .string("moved-ciphertext")),
      refused.json.with("refused", value: .string("not-sealed-yet")), refused.json.with("refused", value: .string("")),
    ]
    for json in unreadable { #expect(SealedCopy(json) == nil, "\(json.compactText())") }
  }

  @Test("A copy with any bit of its value flipped does not open")
  func everyBit() throws {
    let current = try current()
    guard case .value(let of, let text) = try copy(of: current) else { throw Unexpected() }
    let envelope = try FieldEnvelope(parsing: text.utf8.span, as: .two)
    let bytes = [UInt8](copying: envelope.decoded)
    for index in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[index] ^= 1 << bit
        let value = FieldEnvelope(version: .two, iv: Array(changed.prefix(12)), sealed: Array(changed.dropFirst(12)))
          .text
        #expect(try open(.value(of: of, value), current) == .refused(.ciphertextTampered))
      }
    }
  }
}

struct Unexpected: Error {}
