// enc:1 fields: every way to spell, damage and open one.

import Contracts
import Cryptography
import Grants
import Secrets

enum FieldV1Vectors: OwnFormat {
  static let name = "field-v1.1"
  static let algorithm = "mandate-v1 field"
  static let header = [
    "enc:1 fields: AES-256-GCM without AAD over the JSON text of a value, read with forgiving base64.",
    "msg is what GCM seals. json is the text that a reader goes on with: wrong UTF-8 repaired, one byte-order mark gone.",
    "canonical says whether sealing msg with this iv writes exactly this envelope.",
  ]
  static let notes =
    FieldCases.notes + [
      Note("ForgivingBase64", "FUNCTIONALITY", "Both halves are read as browsers read base64.")
    ]
  static let groups = [
    GroupShape(
      type: "FieldV1",
      members: [
        .init("masterKey", .hex(bytes: 32)), .init("missionId", .text), .init("tables", .list(.text)),
        .init("recordIds", .list(.text)), .init("missionKey", .hex(bytes: 32)),
      ],
      inputs: [.init("envelope", .text)],
      valid: [.init("iv", .hex(bytes: 12)), .init("msg", .hex), .init("json", .text), .init("canonical", .truth)],
      invalid: [.init("reason", .word(FieldCases.reasons))])
  ]

  static func checker(for group: Members) throws -> (Members) throws -> Outcome {
    let masterBytes = group.bytes("masterKey")
    let master = try SecretBytes(copying: masterBytes.span)
    var deriver = try KeyDeriver()
    let key = try deriver.missionKeyV1(
      master: master, mission: group.text("missionId"), tables: group.texts("tables"),
      recordIds: group.texts("recordIds"))
    guard key.equals(group.bytes("missionKey").span) else {
      throw UnreadableVectors(why: "the mission key is not the one that its inputs give")
    }
    let owner = Owner(key)
    return { test in try check(test, owner.key) }
  }

  /// A closure that may escape cannot hold what has only one owner; this can.
  private final class Owner {
    let key: MissionKeyV1
    init(_ key: consuming MissionKeyV1) { self.key = key }
  }

  private static func check(_ test: Members, _ key: borrowing MissionKeyV1) throws -> Outcome {
    var codec = try FieldCodec()
    var plaintext = WipedBytes()
    let envelope = Array(test.text("envelope").utf8)
    do {
      let opened = try codec.open1(envelope.span, key: key, onto: &plaintext)
      guard test.isValid else { return .failed("it opened") }
      guard FieldCases.isJSON(test.text("json"), opened, plaintext) else { return .failed("another text") }
      let plain = test.bytes("msg")
      let sealed = try codec.seal1(plain.span, key: key, iv: test.bytes("iv"))
      let same = JSONString(sealed) == JSONString(test.text("envelope"))
      return .expect(same == test.truth("canonical"), "sealing wrote \(sealed)")
    } catch FieldFailure.refused(let reason) {
      return .expect(!test.isValid && reason.rawValue == test.text("reason"), "refused: \(reason.rawValue)")
    }
  }

  // MARK: Cases

  private static let ids = ["notes:n1"]

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    let info = canonicalScopeV1(tables: ["notes"], recordIds: ids)
    let key = try Material.hkdf(Material.master, salt: Array(Material.mission.utf8), info: Array(info.utf8))
    let tests =
      try FieldCases.opening { comment, flags, message, json in try sealed(comment, flags, message, json, key) }
      + FieldCases.refusedTexts { comment, flags, message in try refused(comment, flags, message, key) }
      + spellings(key) + damaged(key)
    return [
      Group(
        type: "FieldV1",
        members: [
          ("masterKey", .hex(Material.master)), ("missionId", .text(Material.mission)), ("tables", .strings(["notes"])),
          ("recordIds", .strings(ids)), ("missionKey", .hex(key)),
        ],
        tests: tests)
    ]
  }

  private static func sealed(
    _ comment: String, _ flags: [String], _ message: [UInt8], _ json: String, _ key: PublishedBytes
  ) throws -> Test {
    let iv = Material.nonce("field-v1 \(comment)")
    let envelope = Material.envelope(1, iv, try Material.sealed(message, key: key, iv: iv))
    return opens(comment, flags, envelope, iv, message, json, canonical: true)
  }

  private static func refused(
    _ comment: String, _ flags: [String], _ message: [UInt8], _ key: PublishedBytes
  ) throws -> Test {
    let iv = Material.nonce("field-v1 \(comment)")
    return refuses(
      comment, flags, Material.envelope(1, iv, try Material.sealed(message, key: key, iv: iv)), "decrypt-failed")
  }

  private static func spellings(_ key: PublishedBytes) throws -> [Test] {
    let (iv, message) = (Material.nonce("field-v1 spellings"), Array("\"hello!\"".utf8))
    let sealed = try Material.sealed(message, key: key, iv: iv)  // 24 bytes: no padding.
    let longer = Array("\"hello\"".utf8)
    let padded = try Material.sealed(longer, key: key, iv: iv)  // 23 bytes: one sign of padding.
    let (left, right, short) = (
      Base64.encode(iv.span), Base64.encode(sealed.span), String(Base64.encode(padded.span).dropLast())
    )
    func spelled(_ comment: String, _ envelope: String, _ message: [UInt8]) -> Test {
      opens(
        comment, ["ForgivingBase64"], envelope, iv, message, String(decoding: message, as: UTF8.self),
        canonical: false)
    }
    return [
      spelled("no padding", "enc:1:\(left).\(short)", longer),
      spelled("white space in both halves", "enc:1: \(left.prefix(3))\t\(left.dropFirst(3)).\(right)\r\n", message),
      spelled("left-over bits that are not zero", "enc:1:\(left).\(FieldCases.withLooseBits(short))=", longer),
      refuses("a second dot", ["Envelope"], "enc:1:\(left).\(right).", "decrypt-failed"),
      refuses("the alphabet of URLs", ["Envelope"], "enc:1:\(left).-_\(right.dropFirst(2))", "decrypt-failed"),
      refuses("one sign of padding too many", ["Envelope"], "enc:1:\(left)=.\(right)", "decrypt-failed"),
      refuses("a character too many", ["Envelope"], "enc:1:\(left).\(right)A", "decrypt-failed"),
      refuses("no-break space is no white space", ["Envelope"], "enc:1:\u{A0}\(left).\(right)", "decrypt-failed"),
      refuses("no dot", ["Envelope"], "enc:1:\(left)\(right)", "ciphertext-malformed"),
      refuses("nothing behind the prefix", ["Envelope"], "enc:1:", "ciphertext-malformed"),
      refuses("a dot alone", ["Envelope"], "enc:1:.", "decrypt-failed"),
      refuses("no iv", ["Envelope"], "enc:1:.\(right)", "decrypt-failed"),
      refuses("no ciphertext", ["Envelope"], "enc:1:\(left).", "ciphertext-tampered-or-wrong-key"),
      refuses("iv and ciphertext the other way round", ["Envelope"], "enc:1:\(right).\(left)", "decrypt-failed"),
    ]
  }

  private static func damaged(_ key: PublishedBytes) throws -> [Test] {
    let (iv, message) = (Material.nonce("field-v1 damaged"), Array("\"a note\"".utf8))
    let sealed = try Material.sealed(message, key: key, iv: iv)
    let tampered = FieldCases.damaged(iv, sealed).map { comment, flags, iv, sealed in
      refuses(comment, flags, Material.envelope(1, iv, sealed), "ciphertext-tampered-or-wrong-key")
    }
    let lengths = try [8, 11, 13, 16].map { count in
      let odd = Material.seeded("iv", count)
      let message = try Material.sealed(message, key: key, iv: odd)
      return refuses("an iv of \(count) bytes", ["NonceLength"], Material.envelope(1, odd, message), "decrypt-failed")
    }
    let foreign = try Material.sealed(message, key: Material.otherMaster, iv: iv)
    let bound = try Material.sealed(message, key: key, iv: iv, aad: Array("aad".utf8))
    return tampered + lengths + [
      refuses(
        "another key", ["Tampered"], Material.envelope(1, iv, foreign), "ciphertext-tampered-or-wrong-key"),
      refuses(
        "sealed with additional data", ["Tampered"], Material.envelope(1, iv, bound),
        "ciphertext-tampered-or-wrong-key"),
    ]
  }

  private static func opens(
    _ comment: String, _ flags: [String], _ envelope: String, _ iv: [UInt8], _ message: [UInt8], _ json: String,
    canonical: Bool
  ) -> Test {
    Test(
      comment, flags, [("envelope", .text(envelope))],
      .valid([("iv", .hex(iv)), ("msg", .hex(message)), ("json", .text(json)), ("canonical", .bool(canonical))]))
  }

  private static func refuses(_ comment: String, _ flags: [String], _ envelope: String, _ reason: String) -> Test {
    Test(comment, flags, [("envelope", .text(envelope))], .invalid(reason: reason))
  }
}
