// enc:2 fields: sealed under the record's key, bound to user, table, record and field.

import Contracts
import Cryptography
import Grants
import Secrets

enum FieldV2Vectors: OwnFormat {
  static let name = "field-v2.1"
  static let algorithm = "mandate-v2 field"
  static let header = [
    "enc:2 fields: AES-256-GCM under the record key with aad = frame(\"mandate/v2/field\", user, table, id, field).",
    "The group derives the key of one record; place... says where the reader found the value.",
    "msg is what GCM seals; json is the text that a reader goes on with. There is one envelope for each iv and msg.",
  ]
  static let notes =
    FieldCases.notes + [
      Note("StrictBase64", "FUNCTIONALITY", "Both halves must be exactly what a writer writes."),
      Note("Moved", "AUTH_BYPASS", "A good value that stands in another place."),
      Note("HardNames", "FUNCTIONALITY", "Field names that are easily got wrong."),
    ]
  static let groups = [
    GroupShape(
      type: "FieldV2", members: RecordKeyOwner.members,
      inputs: RecordKeyOwner.placeMembers + [.init("envelope", .text)],
      valid: [.init("iv", .hex(bytes: 12)), .init("msg", .hex), .init("aad", .hex), .init("json", .text)],
      invalid: [.init("reason", .word(FieldCases.reasons))])
  ]

  static func checker(for group: Members) throws -> (Members) throws -> Outcome {
    let owner = try RecordKeyOwner(group)
    return { test in try check(test, owner.key) }
  }

  private static func check(_ test: Members, _ key: borrowing RecordKey) throws -> Outcome {
    var codec = try FieldCodec()
    var plaintext = WipedBytes()
    let place = try RecordKeyOwner.place(test)
    let envelope = Array(test.text("envelope").utf8)
    do {
      let opened = try codec.open2(envelope.span, key: key, place: place, onto: &plaintext)
      guard test.isValid else { return .failed("it opened") }
      guard FieldCases.isJSON(test.text("json"), opened, plaintext) else { return .failed("another text") }
      guard place.aad == test.bytes("aad") else { return .failed("another aad") }
      let plain = test.bytes("msg")
      let sealed = try codec.seal2(plain.span, key: key, place: place, iv: test.bytes("iv"))
      return .expect(JSONString(sealed) == JSONString(test.text("envelope")), "sealing wrote \(sealed)")
    } catch FieldFailure.refused(let reason) {
      return .expect(!test.isValid && reason.rawValue == test.text("reason"), "refused: \(reason.rawValue)")
    }
  }

  // MARK: Cases

  private static let domain = "mandate/v2/field"
  private static let tampered = "ciphertext-tampered-or-wrong-key"

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    let key = try PlaceNames.recordKey()
    let values =
      try FieldCases.opening { comment, flags, message, json in
        try valid(comment, flags, message, json, key)
      }
      + FieldCases.refusedTexts { comment, flags, message in
        let iv = Material.nonce("field-v2 \(comment)")
        return try refuse(comment, flags, envelope(iv, sealed(message, iv, key)), "decrypt-failed")
      }
    let names = try Names.hardIdentifiers.map { comment, text in
      try valid("a field \(comment)", ["HardNames"], Array("1".utf8), "1", key, PlaceNames(field: text))
    }
    return [
      Group(
        type: "FieldV2", members: PlaceNames.record + [("recordKey", .hex(key))],
        tests: try values + names + spellings(key) + damaged(key) + moved(key))
    ]
  }

  private static func spellings(_ key: PublishedBytes) throws -> [Test] {
    let (iv, message) = (Material.nonce("field-v2 spellings"), Array("\"hello\"".utf8))
    let bytes = try self.sealed(message, iv, key)  // 23 bytes: one sign of padding.
    let sealed = Base64.encode(bytes.span)
    let (left, bare) = (Base64.encode(iv.span), String(sealed.dropLast()))
    func strict(_ comment: String, _ text: String) -> Test { refuse(comment, ["StrictBase64"], text, "decrypt-failed") }
    func shape(_ comment: String, _ text: String, _ reason: String) -> Test {
      refuse(comment, ["Envelope"], text, reason)
    }
    return [
      strict("no padding", "enc:2:\(left).\(bare)"), strict("padding twice", "enc:2:\(left).\(sealed)="),
      strict("left-over bits that are not zero", "enc:2:\(left).\(FieldCases.withLooseBits(bare))="),
      strict("a blank in the first half", "enc:2: \(left).\(sealed)"),
      strict("a line end behind the second half", "enc:2:\(left).\(sealed)\n"),
      strict("the alphabet of URLs", "enc:2:\(left).-_\(sealed.dropFirst(2))"),
      strict("a second dot", "enc:2:\(left).\(sealed)."),
      shape("no dot", "enc:2:\(left)\(sealed)", "ciphertext-malformed"),
      shape("nothing behind the prefix", "enc:2:", "ciphertext-malformed"),
      shape("a dot alone", "enc:2:.", "decrypt-failed"),
      shape("no iv", "enc:2:.\(sealed)", "decrypt-failed"), shape("no ciphertext", "enc:2:\(left).", tampered),
      shape("iv and ciphertext the other way round", "enc:2:\(sealed).\(left)", "decrypt-failed"),
      shape("the prefix of v1", "enc:1:\(left).\(sealed)", "ciphertext-malformed"),
      shape("a prefix of the future", "enc:3:\(left).\(sealed)", "ciphertext-malformed"),
      shape("a prefix in capitals", "ENC:2:\(left).\(sealed)", "ciphertext-malformed"),
      shape("no prefix", "\(left).\(sealed)", "ciphertext-malformed"),
      shape("an empty text", "", "ciphertext-malformed"),
    ]
  }

  private static func damaged(_ key: PublishedBytes) throws -> [Test] {
    let (iv, message) = (Material.nonce("field-v2 damaged"), Array("\"a note\"".utf8))
    let sealed = try self.sealed(message, iv, key)
    let changed = FieldCases.damaged(iv, sealed).map { comment, flags, iv, sealed in
      refuse(comment, flags, envelope(iv, sealed), tampered)
    }
    let lengths = try [8, 11, 13, 16].map { count in
      let odd = Material.seeded("iv", count)
      return refuse(
        "an iv of \(count) bytes", ["NonceLength"], envelope(odd, try self.sealed(message, odd, key)), "decrypt-failed")
    }
    let others = [
      ("another key", try self.sealed(message, iv, Material.otherMaster)),
      ("sealed under the master key", try self.sealed(message, iv, Material.master)),
      ("sealed without additional data", try Material.sealed(message, key: key, iv: iv)),
    ]
    return changed + lengths + others.map { refuse($0.0, ["Tampered"], envelope(iv, $0.1), tampered) }
  }

  private static func moved(_ key: PublishedBytes) throws -> [Test] {
    let (iv, message) = (Material.nonce("field-v2 moved"), Array("\"a note\"".utf8))
    let sealed = envelope(iv, try self.sealed(message, iv, key))
    let copy = try Material.sealed(
      message, key: key, iv: iv, aad: PlaceNames().aad("mandate/v2/sealed", String(repeating: "0", count: 64)))
    let composed = envelope(iv, try self.sealed(message, iv, key, PlaceNames(field: Material.composed)))
    return PlaceNames.elsewhere.map { comment, place in refuse("in \(comment)", ["Moved"], sealed, tampered, place) }
      + [
        refuse("the decomposed field", ["Moved"], composed, tampered, PlaceNames(field: Material.decomposed)),
        refuse("a sealed copy where a field should stand", ["Moved"], envelope(iv, copy), tampered),
      ]
  }

  // MARK: Parts

  private static func sealed(
    _ message: [UInt8], _ iv: [UInt8], _ key: PublishedBytes, _ place: PlaceNames = .here
  ) throws -> [UInt8] {
    try Material.sealed(message, key: key, iv: iv, aad: place.aad(domain))
  }

  private static func envelope(_ iv: [UInt8], _ sealed: [UInt8]) -> String { Material.envelope(2, iv, sealed) }

  private static func valid(
    _ comment: String, _ flags: [String], _ message: [UInt8], _ json: String, _ key: PublishedBytes,
    _ place: PlaceNames = .here
  ) throws -> Test {
    let iv = Material.nonce("field-v2 \(comment)")
    return Test(
      comment, flags, place.members + [("envelope", .text(envelope(iv, try sealed(message, iv, key, place))))],
      .valid([
        ("iv", .hex(iv)), ("msg", .hex(message)), ("aad", .hex(place.aad(domain))), ("json", .text(json)),
      ]))
  }

  private static func refuse(
    _ comment: String, _ flags: [String], _ envelope: String, _ reason: String, _ place: PlaceNames = .here
  ) -> Test {
    Test(comment, flags, place.members + [("envelope", .text(envelope))], .invalid(reason: reason))
  }
}
