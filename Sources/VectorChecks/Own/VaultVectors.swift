// The vault's rows: a user's master key under a key encryption key, and the value by which it is known again. Only the
// issuer links the vault, so this is a second reading of the format; the vault's own tests run the same file.

import Contracts
import Cryptography
import Secrets

enum VaultVectors: OwnFormat {
  static let name = "vault-v2.1"
  static let algorithm = "mandate-v2 vault row"
  static let header = [
    "wrapped = base64(AES-256-GCM(kek, master key, iv, aad)), 48 bytes; iv = base64 of 12 bytes;",
    "aad = frame(\"mandate/v2/vault\", user, kek id); kek id = \"v2:\" and the first 4 bytes of SHA-256(kek) in hex;",
    "keyCheck = HKDF-SHA256(master key, empty salt, frame(\"mandate/v2/key-check\", user)). The group has the kek.",
  ]
  static let notes = [
    Note("Basic", "BASIC", "Rows of ordinary users."),
    Note("Unicode", "AUTH_BYPASS", "Identifiers are bytes: nothing is normalised, no character is special."),
    Note("Moved", "AUTH_BYPASS", "A good row under another user, key id or key."),
    Note("Length", "FUNCTIONALITY", "A wrap has 48 bytes, an IV 12."),
    Note("Spelling", "FUNCTIONALITY", "What is not base64 is no wrap."),
    Note("Tampered", "AUTH_BYPASS", "One bit of wrap or IV was changed."),
  ]
  static let groups = [
    GroupShape(
      type: "VaultRow", members: [.init("kek", .hex(bytes: 32)), .init("kekId", .text)],
      inputs: [
        .init("userId", .text), .init("rowKekId", .text), .init("wrapped", .text), .init("iv", .text),
      ],
      valid: [.init("aad", .hex), .init("masterKey", .hex(bytes: 32)), .init("keyCheck", .hex(bytes: 32))],
      invalid: [])
  ]

  static func checker(for group: Members) throws -> (Members) throws -> Outcome {
    let (kek, id) = (group.bytes("kek"), group.text("kekId"))
    guard keyId(kek) == id else { throw UnreadableVectors(why: "the key id is not that of the key") }
    return { test in try check(test, kek, id) }
  }

  private static func check(_ test: Members, _ kek: [UInt8], _ id: String) throws -> Outcome {
    let refused = Outcome.expect(!test.isValid, "refused")
    let (wrapText, ivText) = (Array(test.text("wrapped").utf8), Array(test.text("iv").utf8))
    guard test.text("rowKekId").utf8.elementsEqual(id.utf8),
      let wrap = Base64.decodeForgiving(wrapText.span), wrap.count == 48,
      let iv = Base64.decodeForgiving(ivText.span), iv.count == 12
    else { return refused }
    let aad = aad(test.text("userId"), id)
    let master: PublishedBytes
    do throws(CryptographyError) {
      var cipher = try AESGCM()
      let opened: SecretBytes = try cipher.open(wrap.span, key: kek.span, iv: iv.span, aad: aad.span)
      master = Material.published(opened.bytes)
    } catch {
      guard error == .rejected else { throw error }
      return refused
    }
    guard test.isValid else { return .failed("it opened") }
    guard master == test.bytes("masterKey"), aad == test.bytes("aad") else { return .failed("another key or aad") }
    guard try keyCheck(master, test.text("userId")) == test.bytes("keyCheck") else { return .failed("another check") }
    return .expect(try Material.sealed(master, key: kek, iv: iv, aad: aad) == wrap, "sealing gave another wrap")
  }

  private static func keyId(_ kek: [UInt8]) -> String { "v2:" + Hex.encode(SHA256.digest(kek.span).prefix(4)) }
  private static func aad(_ user: String, _ id: String) -> [UInt8] { Material.frame("mandate/v2/vault", user, id) }
  private static func keyCheck(_ master: PublishedBytes, _ user: String) throws -> PublishedBytes {
    try Material.hkdf(master, salt: [], info: Material.frame("mandate/v2/key-check", user))
  }

  // MARK: Cases

  private static let kek = Material.seeded("a key encryption key", 32)
  private static let otherKek = Material.seeded("another key encryption key", 32)

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    let basics = [
      try valid("an ordinary user", "Basic", Material.user),
      try valid("another user, the same master key", "Basic", "user-9"),
      try valid("another master key", "Basic", Material.user, master: Material.otherMaster),
    ]
    let hard = try Names.hardIdentifiers.map { comment, text in try valid("a user id \(comment)", "Unicode", text) }
    return [
      Group(
        type: "VaultRow", members: [("kek", .hex(kek)), ("kekId", .text(keyId(kek)))],
        tests: basics + hard + (try refusals()))
    ]
  }

  private static func refusals() throws -> [Test] {
    let (user, id) = (Material.user, keyId(kek))
    let iv = Material.nonce("vault refusals")
    let wrap = try sealed(Material.master, user, iv)
    func refuse(
      _ comment: String, _ flag: String, user: String = user, id: String = id, wrap: [UInt8] = wrap, iv: [UInt8] = iv
    ) -> Test {
      Test(comment, [flag], inputs(user, id, Base64.encode(wrap.span), Base64.encode(iv.span)), .invalid([]))
    }
    let composed = try sealed(Material.master, Material.composed, iv)
    let unbound = try Material.sealed(Material.master, key: kek, iv: iv)
    let foreign = try Material.sealed(Material.master, key: otherKek, iv: iv, aad: aad(user, id))
    let short = try sealed(Array(Material.master.dropLast()), user, iv)
    let text = Base64.encode(wrap.span)
    return [
      refuse("for another user", "Moved", user: "user-9"),
      refuse("for the decomposed name", "Moved", user: Material.decomposed, wrap: composed),
      refuse("under the id of another key", "Moved", id: keyId(otherKek)),
      refuse("under an id in capitals", "Moved", id: "V2" + id.dropFirst(2)),
      refuse("under the former system's id", "Moved", id: "env-v1"),
      refuse("sealed without aad", "Moved", wrap: unbound),
      refuse("sealed under another key", "Moved", wrap: foreign),
      refuse("a wrap of no bytes", "Length", wrap: []),
      refuse("a wrap of 47 bytes", "Length", wrap: Array(wrap.dropLast())),
      refuse("a wrap of 49 bytes", "Length", wrap: wrap + [0]),
      refuse("a good seal of 31 bytes", "Length", wrap: short),
      refuse("an IV of 11 bytes", "Length", iv: Array(iv.dropLast())),
      refuse("an IV of 16 bytes", "Length", iv: iv + [0, 0, 0, 0]),
      Test(
        "an underscore in the wrap", ["Spelling"], inputs(user, id, "_" + text.dropFirst(), Base64.encode(iv.span)),
        .invalid([])),
      Test("words instead of an IV", ["Spelling"], inputs(user, id, text, "no initialisation"), .invalid([])),
    ]
      + [0, 31, 32, 47].map { refuse("a bit of the wrap's byte \($0)", "Tampered", wrap: flipped(wrap, at: $0)) }
      + [0, 11].map { refuse("a bit of the IV's byte \($0)", "Tampered", iv: flipped(iv, at: $0)) }
  }

  private static func valid(
    _ comment: String, _ flag: String, _ user: String, master: PublishedBytes = Material.master
  ) throws -> Test {
    let (id, iv) = (keyId(kek), Material.nonce("vault \(comment)"))
    let wrap = try sealed(master, user, iv)
    return Test(
      comment, [flag], inputs(user, id, Base64.encode(wrap.span), Base64.encode(iv.span)),
      .valid([
        ("aad", .hex(aad(user, id))), ("masterKey", .hex(master)), ("keyCheck", .hex(try keyCheck(master, user))),
      ]))
  }

  private static func sealed(_ master: PublishedBytes, _ user: String, _ iv: [UInt8]) throws -> [UInt8] {
    try Material.sealed(master, key: kek, iv: iv, aad: aad(user, keyId(kek)))
  }

  private static func inputs(
    _ user: String, _ id: String, _ wrapped: String, _ iv: String
  ) -> [(String, JSONValue)] {
    [("userId", .text(user)), ("rowKekId", .text(id)), ("wrapped", .text(wrapped)), ("iv", .text(iv))]
  }
}
