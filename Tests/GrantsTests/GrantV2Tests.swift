// Grants of v2: every way in which opening one ends, in order. EveryByteTests edits the JSON.

import Contracts
import Cryptography
import Secrets
import Testing

@testable import Grants

@Suite struct GrantV2Tests {
  @Test("A sealed grant opens to the same key and claims, with hard names and for every size of RSA key")
  func roundTrip() throws {
    let scopes = [
      scope("notes:n1"), scope("a:x", "a1:y", "a:z"), scope("notes:" + composed, "notes:" + decomposed),
      scope("notes:a:b", "notes:a,b", "notes:\u{1F600}", "notes:\u{FF5E}"),
      try Scope(of: (0..<1000).map { record("notes:\($0)") }),
    ]
    let longest = String(repeating: "x", count: 254) + "\u{E9}"
    for pair in [ThrowAway.a, ThrowAway.c] {
      for granted in scopes {
        let claims = Ordinary.claims(user: longest, mission: "m:1,\u{1F600}", scope: granted, for: pair)
        let grant = try Ordinary.grant(claims, for: pair)
        let text = grant.json.compactText()
        let read = try GrantV2(JSONValue(parsing: text))
        #expect(read == grant)
        let label = try SealedGrantV2.withOpen(
          JSONValue(parsing: text), keys: pair.resolver, user: claims.user, mission: claims.mission,
          now: Ordinary.during
        ) { $0.label }
        #expect(label == GrantLabel(claims))
        let key = try pair.resolver.unwrapV2(wrapped: grant.wrappedKey, label: label)
        #expect(bytes(key) == (try bytes(Ordinary.missionKey(claims))))
      }
    }
  }

  @Test("Whatever else is wrong, the reason is that of the first check: all combinations")
  func order() throws {
    let good = try Ordinary.grant().json
    let wrapped = try GrantV2(good).wrappedKey
    let shapes: [(JSONValue, Bool)] = [(good, true), (good.with("keyId", value: nil), false)]
    let wraps: [([UInt8], Bool)] = [
      (wrapped, true), (wrapped.dropLast() + [wrapped[wrapped.count - 1] ^ 1], false),
      (Array(wrapped.dropLast()), false), ([], false), (try rewrapped(label: []), false),
      (try rewrapped([UInt8](repeating: 1, count: 31)), false),
      (try rewrapped([UInt8](repeating: 1, count: 33)), false),
    ]
    let callers = [
      (Ordinary.user, Ordinary.mission, true), ("user-9", Ordinary.mission, false), (Ordinary.user, "mission-x", false),
      ("", "", false),
    ]
    let clocks = [
      (Ordinary.during, true), (Instant(milliseconds: Ordinary.expiresAt.milliseconds - 1), true),
      (Ordinary.expiresAt, false), (instant("2099-01-01T00:00Z"), false),
    ]
    let resolvers: [(ResolverKeys, Bool)] = [
      (ResolverKeys(), false), (ThrowAway.a.resolver, true), (ThrowAway.b.resolver, false),
      (try ThrowAway.resolver(ThrowAway.b, ThrowAway.a), true),
    ]
    var combinations = 0
    for (keys, hasKey) in resolvers {
      for (shape, isShaped) in shapes {
        for (wrap, isWrapped) in wraps {
          for (user, mission, isCaller) in callers {
            for (now, isInTime) in clocks {
              let json = shape.with("wrappedKey", value: .string(Base64.encode(wrap.span)))
              let proved = hasKey && isWrapped && isCaller
              let wanted: GrantRefusal? =
                keys.isEmpty
                ? .notConfigured : !isShaped ? .malformed : !proved ? .wrapRejected : isInTime ? nil : .expired
              let ending = Ordinary.open(json, keys: keys, user: user, mission: mission, now: now)
              #expect(ending == (wanted.map { .refused($0) } ?? .opened))
              combinations += 1
            }
          }
        }
      }
    }
    #expect(combinations == 4 * 2 * 7 * 4 * 4)
  }

  /// The ordinary grant's key, or other bytes, wrapped for `a` under another label.
  private func rewrapped(_ plaintext: [UInt8]? = nil, label: [UInt8]? = nil) throws -> [UInt8] {
    let claims = Ordinary.claims()
    let bytes = try plaintext ?? bytes(Ordinary.missionKey(claims))
    let label = label ?? GrantLabel(claims).bytes
    return try ThrowAway.a.publicKey.encryptOAEP(bytes.span, label: label.span)
  }

  @Test("An expiry equal to now is over in v2")
  func equalExpiry() throws {
    let grant = try Ordinary.grant().json
    #expect(Ordinary.open(grant, now: Instant(milliseconds: Ordinary.expiresAt.milliseconds - 1)) == .opened)
    #expect(Ordinary.open(grant, now: Ordinary.expiresAt) == .refused(.expired))
  }

  @Test("The key id picks the key, and no other key is tried")
  func keyIdPicks() throws {
    let all = try ThrowAway.resolver(ThrowAway.c, ThrowAway.b, ThrowAway.a)
    for pair in [ThrowAway.a, ThrowAway.b, ThrowAway.c] {
      let grant = try Ordinary.grant(Ordinary.claims(for: pair), for: pair).json
      #expect(Ordinary.open(grant, keys: all) == .opened)
      for other in [ThrowAway.a, ThrowAway.b, ThrowAway.c] where other.publicKey != pair.publicKey {
        let renamed = grant.with("keyId", value: .string(other.publicKey.keyIdHex))
        #expect(Ordinary.open(renamed, keys: all) == .refused(.wrapRejected))
        #expect(Ordinary.open(grant, keys: other.resolver) == .refused(.wrapRejected))
      }
    }
    #expect(all.keyIds == [ThrowAway.c, ThrowAway.b, ThrowAway.a].map { $0.publicKey.keyIdHex })
  }

  @Test("The row's opening takes wrap and claims as they are stored, and other claims do not open the wrap")
  func rowOpening() throws {
    let claims = Ordinary.claims()
    let grant = try Ordinary.grant(claims)
    func open(_ label: GrantLabel, _ wrapped: [UInt8], user: String = Ordinary.user) -> Ending<GrantRefusal> {
      Ending { () throws(GrantFailure) in
        try SealedGrantV2.withOpen(
          wrapped: wrapped, label: label, keys: ThrowAway.a.resolver, user: id(user), mission: id(Ordinary.mission),
          now: Ordinary.during
        ) { _ in () }
      }
    }
    #expect(open(GrantLabel(claims), grant.wrappedKey) == .opened)
    let wider = Ordinary.claims(scope: scope("notes:n1", "notes:n2", "tasks:t1"))
    #expect(open(GrantLabel(wider), grant.wrappedKey) == .refused(.wrapRejected))
    let other = Ordinary.claims(user: "user-9")
    #expect(open(GrantLabel(other), grant.wrappedKey, user: "user-9") == .refused(.wrapRejected))
    #expect(open(GrantLabel(other), try Ordinary.grant(other).wrappedKey) == .refused(.wrapRejected))
    #expect(open(GrantLabel(claims), try Ordinary.grant(wider).wrappedKey) == .refused(.wrapRejected))
  }

  @Test("A user or mission that only looks like the grant's is another one")
  func lookalikes() throws {
    let claims = Ordinary.claims(user: composed, mission: decomposed)
    let grant = try Ordinary.grant(claims).json
    #expect(Ordinary.open(grant, user: composed, mission: decomposed) == .opened)
    #expect(Ordinary.open(grant, user: decomposed, mission: decomposed) == .refused(.wrapRejected))
    #expect(Ordinary.open(grant, user: composed, mission: composed) == .refused(.wrapRejected))
    let edited = grant.with("derivation", "userId", value: .string(decomposed))
    #expect(Ordinary.open(edited, user: decomposed, mission: decomposed) == .refused(.wrapRejected))
  }

  @Test("An open grant opens its own keyring rows inside the opening")
  func recordKeys() throws {
    let claims = Ordinary.claims()
    let name = record("notes:n1")
    var cipher = try AESGCM()
    let row = try KeyringRow.seal(
      Ordinary.recordKey(), under: Ordinary.missionKey(claims), grantId: claims.grantId, record: name,
      nonce: [UInt8](repeating: 9, count: 12), with: &cipher)
    let wanted = bytes(try Ordinary.recordKey())
    let json = try Ordinary.grant(claims).json
    let endings = try SealedGrantV2.withOpen(
      json, keys: ThrowAway.a.resolver, user: claims.user, mission: claims.mission, now: Ordinary.during
    ) { open in
      [name, record("notes:n2"), record("tasks:t1")].map { asked in
        Ending { () throws(FieldFailure) in
          let key = try open.recordKey(asked, row: row, with: &cipher)
          #expect(bytes(key) == wanted)
        }
      }
    }
    #expect(endings == [.opened, .refused(.ciphertextTampered), .refused(.ciphertextTampered)])
  }

  @Test("A grant is only sealed for the key that its claims name")
  func sealedForTheNamedKey() async {
    await #expect(processExitsWith: .failure) {
      quietCrashes()
      _ = try Ordinary.grant(Ordinary.claims(for: ThrowAway.a), for: ThrowAway.b)
    }
  }
}
