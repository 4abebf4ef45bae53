// grant-unwrap: private key, stored grant and clock → mission key or reason. Where we are stricter on purpose, the
// strict outcome is asserted too, and that nothing but the strictness made the difference.

import Contracts
import Cryptography
import Grants

enum GrantUnwrap {
  static let kind = SeedsFile.kind(
    "grant-unwrap", reference: "crypto/unwrap-grant.ts",
    prepare: { file throws(UnreadableVectors) in try GrantUnwrapKeys(file.whole) },
    check: { fields, keys throws(CaseProblem) in try GrantUnwrapCase(fields, keys).run() })
}

/// How an opening ended.
enum GrantOpening: Equatable, Sendable {
  case expectedKey
  case anotherKey
  case refused(String)
  case broken(String)

  static func of(
    _ grant: JSONValue, keys: ResolverKeys, now: Instant, expecting key: [UInt8]?
  ) -> GrantOpening {
    do throws(GrantFailure) {
      return try SealedGrantV1.withOpen(grant, keys: keys, now: now) { open in
        guard let key else { return .anotherKey }
        return open.missionKey.equals(key.span) ? .expectedKey : .anotherKey
      }
    } catch {
      switch error {
      case .refused(let reason): return .refused(reason.rawValue)
      case .failed(let failure): return .broken("our own failure: \(failure)")
      }
    }
  }

  var sentence: String {
    switch self {
    case .expectedKey: "it opened"
    case .anotherKey: "another key came out"
    case .refused(let reason): "refused as \(reason)"
    case .broken(let why): why
    }
  }
}

struct GrantUnwrapCase: Sendable {
  let grant: JSONValue
  let now: Instant
  let tags: Set<String>
  let key: GrantUnwrapKeys.Key
  let expected: GrantOpening
  /// What the wrap holds, where the file says so, even if the reference refused it.
  let wrapped: [UInt8]?
  let mint: Mint?
  let minter: RSAPublicKey?

  init(_ fields: CaseFields, _ keys: GrantUnwrapKeys) throws(CaseProblem) {
    grant = try fields.value("grant")
    now = Instant(milliseconds: Int64(try fields.integer("nowMs")))
    guard Instant.range.contains(now) else { throw CaseProblem(why: "nowMs is beyond the year 9999") }
    tags = try fields.tags()
    switch try fields.text("configured") {
    case "pem": key = try keys.key(try fields.text("keyId"))
    case "unset", "never": key = .none
    default: throw CaseProblem(why: "configured is neither pem, unset nor never")
    }
    let outcome = try fields.fields("expected")
    if try outcome.bool("ok") {
      (expected, wrapped) = (.expectedKey, try outcome.hex("mdkHex"))
    } else {
      expected = .refused(try outcome.text("reason"))
      wrapped = fields["mint"] == nil ? nil : try fields.fields("mint").hex("mdkHex")
    }
    mint = fields["mint"] == nil ? nil : try Mint(try fields.fields("mint"))
    minter = if let mint { try keys.publicKey(mint.publicKeyId) } else { nil }
  }

  func run() throws(CaseProblem) -> Outcome {
    guard mint == nil || mint?.missionKey == wrapped else { throw CaseProblem(why: "two mission keys in one case") }
    if let mint, let minter, let difference = mint.difference(from: grant, tags: tags, sealedFor: minter) {
      return .failed("minting again: \(difference)")
    }
    let found = opening(of: grant)
    switch found {
    case .anotherKey where wrapped == nil: return .failed("it opened, expected \(expected.sentence)")
    case .anotherKey, .broken: return .failed(found.sentence)
    case .expectedKey, .refused: break
    }
    // Somebody else's engine, or JavaScript's text coercion: no wrong key came out, and more is not asserted.
    if tags.contains(Apart.engine) { return .setApart(Apart.engine) }
    if tags.contains(Apart.coercion) { return .setApart(Apart.coercion) }
    if found == expected { return .passed }
    return deviation(found) ?? .failed("\(found.sentence), expected: \(expected.sentence)")
  }

  private func opening(of grant: JSONValue) -> GrantOpening {
    GrantOpening.of(grant, keys: key.resolver, now: now, expecting: wrapped)
  }

  /// The documented reasons for another outcome; nil where there is none.
  private func deviation(_ found: GrantOpening) -> Outcome? {
    if case .notTaken(let reason) = key, found == .refused("not-configured") { return .setApart(reason) }
    if found == .refused("expired"), let text = grant["expiresAt"]?.text, !StrictDate.isStrict(text) {
      // Spelled strictly, the very same moment or another one still in time must give what the reference gave.
      let repaired = opening(of: grant.setting("expiresAt", .string(now.iso)))
      return repaired == expected
        ? .setApart(Apart.date) : .failed("with a strict expiry: \(repaired.sentence), expected: \(expected.sentence)")
    }
    if found == .refused("malformed"), grant["derivation"]?["recordIds"]?.texts == nil {
      let derivation = JSONObject(members: [("recordIds", .array([]))])
      let repaired = opening(of: grant.setting("derivation", .object(derivation)))
      return repaired == expected
        ? .setApart(Apart.derivation)
        : .failed("with a derivation: \(repaired.sentence), expected: \(expected.sentence)")
    }
    return found == refusalOfType ? .setApart(Apart.wrongType) : nil
  }

  /// What a typed reader says where JavaScript turns a value of another type into text and goes on. A missing or null
  /// expiry is no date for either, so that is no excuse.
  private var refusalOfType: GrantOpening? {
    guard tags.contains(Apart.wrongType) else { return nil }
    if let expiry = grant["expiresAt"], !expiry.isNull, expiry.text == nil { return .refused("expired") }
    return grant["wrappedKey"].map { $0.text == nil } == true ? .refused("malformed") : nil
  }
}

extension JSONValue {
  /// The same object with one member changed; anything else as it is.
  fileprivate func setting(_ name: String, _ value: JSONValue) -> JSONValue {
    guard var object else { return self }
    object.set(name, value)
    return .object(object)
  }
}
