// What the suites of this target share: the published throw-away keys, one ordinary grant, and short ways to call what
// takes Spans and lends what cannot be copied.

import Contracts
import Cryptography
import Foundation
import Glibc
import Secrets
import Testing

@testable import Grants

/// The RSA pairs that Vectors/grant-v2.1.json publishes with their private halves. They protect nothing.
enum ThrowAway {
  static let a = Pair(named: "a")
  static let b = Pair(named: "b")
  static let c = Pair(named: "c")

  static let masterKey: [UInt8] = Array(1...32)

  final class Pair: Sendable {
    let publicKey: RSAPublicKey
    let resolver: ResolverKeys
    private let pkcs8: [UInt8]

    fileprivate init(named name: String) {
      do {
        let der = try Self.published(name)
        let key = try RSAPrivateKey(pkcs8: der.span)
        pkcs8 = der
        publicKey = key.publicKey()
        resolver = ResolverKeys(key)
      } catch { fatalError("the published key \(name) does not load: \(error)") }
    }

    func privateKey() throws -> RSAPrivateKey {
      let der = pkcs8
      return try RSAPrivateKey(pkcs8: der.span)
    }

    private static func published(_ name: String) throws -> [UInt8] {
      let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Vectors/grant-v2.1.json")
      let json = try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))
      let keys = json["testGroups"]?.array?.flatMap { $0["keys"]?.array ?? [] } ?? []
      let key = keys.first { $0["name"]?.text == name }
      return try #require(key?["privateKeyPkcs8"]?.text.flatMap(Hex.decode))
    }
  }

  /// A resolver that tries these keys in their order.
  static func resolver(_ pairs: Pair...) throws -> ResolverKeys {
    try pairs.reduce(ResolverKeys()) { keys, pair in keys.adding(try pair.privateKey()) }
  }
}

/// "e" with an acute accent in its two spellings, which Swift's String calls equal and our formats must not.
let composed = "caf\u{E9}"
let decomposed = "cafe\u{301}"

func id(_ text: String) -> Identifier { Identifier(text) }

func record(_ joined: String) -> RecordName {
  do { return try RecordName(joined: joined) } catch { fatalError("\(joined) is no record name") }
}

func scope(_ joined: String...) -> Scope {
  do { return try Scope(of: joined.map { record($0) }) } catch { fatalError("\(joined) is no scope") }
}

func instant(_ text: String) -> Instant {
  guard let instant = Instant(iso: text) else { fatalError("\(text) is no instant") }
  return instant
}

func secret(_ bytes: [UInt8]) throws -> SecretBytes { try SecretBytes(copying: bytes.span) }

/// The bytes of a test's own key: `equals` is all that the type offers, and these tests look inside.
func bytes(_ key: borrowing RecordKey) -> [UInt8] { [UInt8](copying: key.secret.bytes) }
func bytes(_ key: borrowing MissionKeyV1) -> [UInt8] { [UInt8](copying: key.secret.bytes) }
func bytes(_ key: borrowing MissionKeyV2) -> [UInt8] { [UInt8](copying: key.secret.bytes) }

/// How an opening ended, in a form that can stand inside `#expect`.
enum Ending<Refusal: Sendable & Equatable>: Equatable {
  case opened
  case refused(Refusal)
  case failed(CryptographyError)

  init(_ body: () throws(OpeningFailure<Refusal>) -> Void) {
    do throws(OpeningFailure<Refusal>) {
      try body()
      self = .opened
    } catch {
      switch error {
      case .refused(let refusal): self = .refused(refusal)
      case .failed(let failure): self = .failed(failure)
      }
    }
  }
}

/// One ordinary v2 grant with hard names, sealed for the key `a`.
enum Ordinary {
  static let user = "user-4f21"
  static let mission = "mission-abc"
  static let grantId = "6b1d2f0a-93c4-4e57-8a1b-0c2d3e4f5a6b"
  static let otherGrantId = "0e9d8c7b-6a5f-4e3d-9c2b-1a0f9e8d7c6b"
  static let issuedAt = instant("2026-11-20T07:00:00.000Z")
  static let expiresAt = instant("2026-11-27T07:00:00.000Z")
  static let during = instant("2026-11-21T12:34:56.789Z")

  static func claims(
    user: String = user, mission: String = mission, scope granted: Scope = scope("notes:n1", "tasks:t1"),
    for pair: ThrowAway.Pair = ThrowAway.a
  ) -> GrantClaims {
    GrantClaims(
      grantId: id(grantId), keyId: pair.publicKey.keyIdHex, user: id(user), mission: id(mission), scope: granted,
      issuedAt: issuedAt, expiresAt: expiresAt)
  }

  static func missionKey(_ claims: GrantClaims) throws -> MissionKeyV2 {
    var deriver = try KeyDeriver()
    return try deriver.missionKeyV2(
      master: secret(ThrowAway.masterKey), user: claims.user, mission: claims.mission, grantId: claims.grantId,
      scope: claims.scope)
  }

  static func grant(_ claims: GrantClaims = claims(), for pair: ThrowAway.Pair = ThrowAway.a) throws -> GrantV2 {
    try SealedGrantV2.seal(missionKey(claims), for: pair.publicKey, claims: claims)
  }

  static func open(
    _ json: JSONValue, keys: ResolverKeys = ThrowAway.a.resolver, user: String = user, mission: String = mission,
    now: Instant = during
  ) -> Ending<GrantRefusal> {
    Ending { () throws(GrantFailure) in
      try SealedGrantV2.withOpen(json, keys: keys, user: id(user), mission: id(mission), now: now) { _ in () }
    }
  }

  static func recordKey(_ name: String = "notes:n1", user: String = user) throws -> RecordKey {
    var deriver = try KeyDeriver()
    return try deriver.recordKey(master: secret(ThrowAway.masterKey), user: id(user), record: record(name))
  }

  static func missionKeyV1() throws -> MissionKeyV1 {
    var deriver = try KeyDeriver()
    return try deriver.missionKeyV1(
      master: secret(ThrowAway.masterKey), mission: mission, tables: ["notes"], recordIds: ["notes:n1"])
  }
}

extension JSONValue {
  /// A copy with another value at the end of the path, or without that member.
  func with(_ path: String..., value: JSONValue?) -> JSONValue { with(path[...], value) }

  private func with(_ path: ArraySlice<String>, _ value: JSONValue?) -> JSONValue {
    guard let name = path.first, var object else { fatalError("a path leads through objects") }
    let inner = path.count == 1 ? value : (object[name] ?? .null).with(path.dropFirst(), value)
    guard let inner else {
      return .object(JSONObject(object.members.filter { $0.key != JSONString(name) }.map { ($0.key, $0.value) }))
    }
    object.set(name, inner)
    return .object(object)
  }
}

/// In an exit test that expects a trap: without this, Swift's backtracer takes its time first.
func quietCrashes() {
  for signal in [SIGILL, SIGTRAP, SIGABRT] { Glibc.signal(signal, SIG_DFL) }
}
