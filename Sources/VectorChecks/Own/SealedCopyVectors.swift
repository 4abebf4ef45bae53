// Sealed copies: what serves a field that a client still writes as enc:1.

import Contracts
import Cryptography
import Grants
import Secrets

enum SealedCopyVectors: OwnFormat {
  static let name = "sealed-copy-v2.1"
  static let algorithm = "mandate-v2 sealed copy"
  static let header = [
    "current is the enc:1 text that stands in the record now, entry the JSON text of the copy beside it, or null.",
    "of = hex SHA-256 of the decoded iv || ciphertext || tag of current. value is an enc:2 text under the record key with",
    "aad = frame(\"mandate/v2/sealed\", user, table, id, field, of). An entry that cannot be read counts as none.",
  ]
  static let notes = [
    Note("Basic", "BASIC", "A copy of the very ciphertext that stands in the record."),
    Note("ForgivingBase64", "FUNCTIONALITY", "of is over decoded bytes: however current is spelled, it is the same."),
    Note("Stale", "AUTH_BYPASS", "The copy is of a ciphertext that stood there before; it is never served."),
    Note("Refused", "AUTH_BYPASS", "The issuer has seen this ciphertext in another place first."),
    Note("Moved", "AUTH_BYPASS", "A good copy of another field, record, table or user, or something that is no copy."),
    Note("Current", "FUNCTIONALITY", "What stands in the record is no enc:1 text."),
    Note("Entry", "FUNCTIONALITY", "The entry cannot be read."),
    Note("Tampered", "AUTH_BYPASS", "The copy was changed."),
  ]
  static let groups = [
    GroupShape(
      type: "SealedCopy", members: RecordKeyOwner.members,
      inputs: RecordKeyOwner.placeMembers + [.init("current", .text), .init("entry", .orNull(.text))],
      valid: [
        .init("of", .hex(bytes: 32)), .init("iv", .hex(bytes: 12)), .init("msg", .hex), .init("aad", .hex),
        .init("json", .text),
      ],
      invalid: [.init("reason", .word(FieldCases.reasons + ["not-sealed-yet", "moved-ciphertext"]))])
  ]

  static func checker(for group: Members) throws -> (Members) throws -> Outcome {
    let owner = try RecordKeyOwner(group)
    return { test in try check(test, owner.key) }
  }

  private static func check(_ test: Members, _ key: borrowing RecordKey) throws -> Outcome {
    var codec = try FieldCodec()
    var plaintext = WipedBytes()
    let current = Array(test.text("current").utf8)
    let place = try RecordKeyOwner.place(test)
    let copy = test.optionalText("entry").flatMap { try? JSONValue(parsing: $0) }.flatMap { SealedCopy($0) }
    do {
      let opened = try codec.openCopy(copy, for: current.span, key: key, place: place, onto: &plaintext)
      guard test.isValid else { return .failed("it opened") }
      guard FieldCases.isJSON(test.text("json"), opened, plaintext) else { return .failed("another text") }
      guard SealedCopy.aad(place, of: test.text("of")) == test.bytes("aad") else { return .failed("another aad") }
      let plain = test.bytes("msg")
      let made = try codec.sealCopy(
        plain.span, of: FieldEnvelope(parsing: current.span, as: .one), key: key, place: place,
        iv: test.bytes("iv"))
      guard JSONString(made.of) == JSONString(test.text("of")) else { return .failed("another digest") }
      return .expect(
        JSONString(made.json.compactText()) == JSONString(test.text("entry")), "sealing wrote another entry")
    } catch FieldFailure.refused(let reason) {
      return .expect(!test.isValid && reason.rawValue == test.text("reason"), "refused: \(reason.rawValue)")
    }
  }

  // MARK: Cases

  private static let tampered = "ciphertext-tampered-or-wrong-key"
  private static let message = Array("\"written long ago\"".utf8)

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    let key = try PlaceNames.recordKey()
    // What the client wrote, under the master key itself, as today's clients do.
    let iv = Material.nonce("sealed copy current")
    let old = try Material.sealed(message, key: Material.master, iv: iv)
    return [
      Group(
        type: "SealedCopy", members: PlaceNames.record + [("recordKey", .hex(key))],
        tests: try good(iv, old, key) + refusals(iv, old, key) + unreadable(iv, old, key))
    ]
  }

  private static func good(_ iv: [UInt8], _ old: [UInt8], _ key: PublishedBytes) throws -> [Test] {
    let text = Material.envelope(1, iv, old)
    let bare = text.replacing("=", with: "")
    return [
      try valid("a copy of what stands there", ["Basic"], text, iv + old, key),
      try valid("an empty string", ["Basic"], text, iv + old, key, message: Array("\"\"".utf8)),
      try valid("current without padding", ["ForgivingBase64"], bare, iv + old, key),
      try valid("current with white space", ["ForgivingBase64"], text.replacing(".", with: " .\n"), iv + old, key),
      try valid("in another field", ["Basic"], text, iv + old, key, PlaceNames(field: Material.decomposed)),
    ]
  }

  private static func refusals(_ iv: [UInt8], _ old: [UInt8], _ key: PublishedBytes) throws -> [Test] {
    let current = Material.envelope(1, iv, old)
    let newer = Material.envelope(1, iv, try Material.sealed(Array("\"new\"".utf8), key: Material.master, iv: iv))
    let entry = try self.entry(iv + old, key)
    let of = digest(iv + old)
    let nonce = Material.nonce("sealed copy refusals")
    func value(_ aad: [UInt8], _ key: PublishedBytes) throws -> String {
      let sealed = try Material.sealed(message, key: key, iv: nonce, aad: aad)
      return json([("of", of), ("value", Material.envelope(2, nonce, sealed))])
    }
    let place = PlaceNames()
    return [
      refuse("no copy yet", "Stale", current, nil, "not-sealed-yet"),
      refuse("the record was edited since", "Stale", newer, entry, "not-sealed-yet"),
      refuse(
        "one bit of current changed", "Stale", Material.envelope(1, iv, flipped(old, at: 3)), entry, "not-sealed-yet"),
      refuse(
        "refused, but for an older text", "Stale", newer, json([("of", of), ("refused", "moved-ciphertext")]),
        "not-sealed-yet"),
      refuse(
        "seen elsewhere first", "Refused", current, json([("of", of), ("refused", "moved-ciphertext")]),
        "moved-ciphertext"),
      refuse("an enc:2 field as a copy", "Moved", current, try value(place.aad("mandate/v2/field"), key), tampered),
      refuse(
        "a copy for another digest", "Moved", current, try value(place.aad("mandate/v2/sealed", digest(old)), key),
        tampered),
      refuse(
        "a copy under another key", "Tampered", current,
        try value(place.aad("mandate/v2/sealed", of), Material.otherMaster), tampered),
      refuse(
        "a copy with the digest of an older one", "Moved", newer,
        try relabelled(entry, digest(Base64Halves.decoded(newer))), tampered),
      refuse(
        "an enc:1 text as a copy", "Moved", current, json([("of", of), ("value", current)]), "ciphertext-malformed"),
    ]
      + PlaceNames.elsewhere.map { comment, place in refuse("for \(comment)", "Moved", current, entry, tampered, place)
      }
      + FieldCases.damaged(
        nonce, try Material.sealed(message, key: key, iv: nonce, aad: place.aad("mandate/v2/sealed", of))
      )
      .map { comment, _, iv, sealed in
        refuse(
          "in the copy: \(comment)", "Tampered", current,
          json([("of", of), ("value", Material.envelope(2, iv, sealed))]),
          tampered)
      }
  }

  private static func unreadable(_ iv: [UInt8], _ old: [UInt8], _ key: PublishedBytes) throws -> [Test] {
    let current = Material.envelope(1, iv, old)
    let entry = try self.entry(iv + old, key)
    let (of, left) = (digest(iv + old), Base64.encode(iv.span))
    let entries = [
      ("no JSON", "{"), ("null", "null"), ("a text", "\"enc:2:\""), ("an empty object", "{}"),
      ("no digest", json([("value", "enc:2:")])), ("neither value nor refusal", json([("of", of)])),
      ("both", json([("of", of), ("value", "enc:2:"), ("refused", "moved-ciphertext")])),
      ("an unknown refusal", json([("of", of), ("refused", "because")])),
      ("a digest in capitals", json([("of", of.uppercased()), ("refused", "moved-ciphertext")])),
      ("a digest too short", json([("of", String(of.dropLast(2))), ("refused", "moved-ciphertext")])),
    ]
    let currents = [
      ("no dot", "enc:1:\(left)", "ciphertext-malformed"), ("no base64", "enc:1:!.!", "decrypt-failed"),
      ("an iv of 11 bytes", Material.envelope(1, Array(iv.dropLast()), old), "decrypt-failed"),
      ("an enc:2 text", "enc:2:" + current.dropFirst(6), "ciphertext-malformed"),
      ("no prefix", String(current.dropFirst(6)), "ciphertext-malformed"),
    ]
    return entries.map { refuse("entry: \($0.0)", "Entry", current, $0.1, "not-sealed-yet") }
      + currents.map { refuse("current: \($0.0)", "Current", $0.1, entry, $0.2) }
  }

  // MARK: Parts

  private static func digest(_ bytes: [UInt8]) -> String { Hex.encode(SHA256.digest(bytes)) }

  private static func json(_ members: [(String, String)]) -> String {
    JSONValue.object(JSONObject(members: members.map { ($0.0, .text($0.1)) })).compactText()
  }

  private static func relabelled(_ entry: String, _ of: String) throws -> String {
    try JSONValue(parsing: entry).edited(.set("of", of)).compactText()
  }

  private static func entry(
    _ old: [UInt8], _ key: PublishedBytes, _ place: PlaceNames = .here, message: [UInt8] = message,
    nonce: String = "sealed copy"
  ) throws -> String {
    let (of, iv) = (digest(old), Material.nonce(nonce))
    let sealed = try Material.sealed(message, key: key, iv: iv, aad: place.aad("mandate/v2/sealed", of))
    return json([("of", of), ("value", Material.envelope(2, iv, sealed))])
  }

  private static func valid(
    _ comment: String, _ flags: [String], _ current: String, _ old: [UInt8], _ key: PublishedBytes,
    _ place: PlaceNames = .here, message: [UInt8] = message
  ) throws -> Test {
    let nonce = "sealed copy \(comment)"
    let entry = try entry(old, key, place, message: message, nonce: nonce)
    return Test(
      comment, flags, place.members + [("current", .text(current)), ("entry", .text(entry))],
      .valid([
        ("of", .text(digest(old))), ("iv", .hex(Material.nonce(nonce))), ("msg", .hex(message)),
        ("aad", .hex(place.aad("mandate/v2/sealed", digest(old)))),
        ("json", .text(String(decoding: message, as: UTF8.self))),
      ]))
  }

  private static func refuse(
    _ comment: String, _ flag: String, _ current: String, _ entry: String?, _ reason: String,
    _ place: PlaceNames = .here
  ) -> Test {
    Test(
      comment, [flag], place.members + [("current", .text(current)), ("entry", entry.map(JSONValue.string) ?? .null)],
      .invalid(reason: reason))
  }
}

/// The decoded bytes of an enc:1 text that the cases themselves have made.
private enum Base64Halves {
  static func decoded(_ text: String) -> [UInt8] {
    guard let envelope = try? FieldEnvelope(parsing: text.utf8.span, as: .one) else {
      preconditionFailure("the cases make good envelopes where they ask for their bytes")
    }
    return [UInt8](copying: envelope.decoded)
  }
}
