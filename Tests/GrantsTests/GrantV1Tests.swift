// Grants of v1: every way in which opening one ends, in order, and what v1 does not protect.

import Contracts
import Cryptography
import Secrets
import Testing

@testable import Grants

@Suite struct GrantV1Tests {
  private static let derivation = GrantV1.Derivation(
    missionId: Ordinary.mission, tables: ["notes"], recordIds: ["notes:n1"])

  private func sealed(for pair: ThrowAway.Pair = ThrowAway.a) throws -> JSONValue {
    try SealedGrantV1.seal(
      Ordinary.missionKeyV1(), for: pair.publicKey, derivation: Self.derivation, issuedAt: Ordinary.issuedAt,
      expiresAt: Ordinary.expiresAt
    ).json
  }

  private func open(
    _ grant: JSONValue, keys: ResolverKeys = ThrowAway.a.resolver, now: Instant = Ordinary.during
  ) -> Ending<GrantRefusal> {
    Ending { () throws(GrantFailure) in try SealedGrantV1.withOpen(grant, keys: keys, now: now) { _ in () } }
  }

  private func wrap(_ bytes: [UInt8], for pair: ThrowAway.Pair = ThrowAway.a, label: [UInt8] = []) throws -> JSONValue {
    let wrapped = try pair.publicKey.encryptOAEP(bytes.span, label: label.span)
    return .string(Base64.encode(wrapped.span))
  }

  @Test("A sealed grant opens to the same key and the same list, for every size of RSA key")
  func roundTrip() throws {
    for pair in [ThrowAway.a, ThrowAway.c] {
      let wanted = bytes(try Ordinary.missionKeyV1())
      let same = try SealedGrantV1.withOpen(sealed(for: pair), keys: pair.resolver, now: Ordinary.during) { open in
        bytes(open.missionKey) == wanted && open.allows(table: "notes", record: "n1")
          && !open.allows(table: "notes", record: "n2") && !open.allows(table: "note", record: "s:n1")
      }
      #expect(same)
    }
  }

  @Test("A wrap is different each time, and the text around it never")
  func wrapIsRandom() throws {
    let (one, other) = (try sealed(), try sealed())
    #expect(one["wrappedKey"] != other["wrappedKey"])
    #expect(one.with("wrappedKey", value: nil) == other.with("wrappedKey", value: nil))
  }

  @Test("The allowlist compares bytes, not characters that only look alike")
  func allowlistIsBytes() throws {
    let grant = try sealed().with("derivation", "recordIds", value: .array([.string("notes:" + composed)]))
    let (same, other) = try SealedGrantV1.withOpen(grant, keys: ThrowAway.a.resolver, now: Ordinary.during) {
      ($0.allows(table: "notes", record: composed), $0.allows(table: "notes", record: decomposed))
    }
    #expect(same && !other)
  }

  @Test("An expiry equal to now is still valid; a millisecond later it is not")
  func equalExpiry() throws {
    let grant = try sealed()
    #expect(open(grant, now: Ordinary.expiresAt) == .opened)
    let later = Instant(milliseconds: Ordinary.expiresAt.milliseconds + 1)
    #expect(open(grant, now: later) == .refused(.expired))
  }

  @Test("Whatever else is wrong, the reason is that of the first check: all combinations")
  func order() throws {
    let good = try sealed()
    let wraps: [(JSONValue?, GrantRefusal?)] = [
      (good["wrappedKey"], nil), (.string("!"), .malformed), (.string("AAAA"), .wrapRejected), (nil, .malformed),
      (try wrap([UInt8](repeating: 1, count: 31)), .malformed), (try wrap([]), .malformed),
      (try wrap([UInt8](repeating: 1, count: 32), label: [1]), .wrapRejected),
      (try wrap([UInt8](repeating: 1, count: 32), for: ThrowAway.b), .wrapRejected),
    ]
    let ends: [(JSONValue?, Bool)] = [
      (.string(Ordinary.expiresAt.iso), true), (.string("2026-11-21T12:34:56.788Z"), false), (nil, false),
      (.null, false),
      (.number(JSONNumber(4_000_000_000_000)), false), (.string("2099-01-01"), false),
    ]
    let lists: [(JSONValue?, Bool)] = [
      (.array([.string("notes:n1")]), true), (.array([]), true), (nil, false), (.null, false),
      (.string("notes:n1"), false),
      (.array([.string("notes:n1"), .number(JSONNumber(1))]), false),
    ]
    var combinations = 0
    for keys in [ResolverKeys(), ThrowAway.a.resolver] {
      for (wrap, problem) in wraps {
        for (end, isInTime) in ends {
          for (list, isList) in lists {
            let grant = good.with("wrappedKey", value: wrap).with("expiresAt", value: end)
              .with("derivation", "recordIds", value: list)
            let wanted: GrantRefusal? =
              keys.isEmpty ? .notConfigured : !isInTime ? .expired : problem ?? (isList ? nil : .malformed)
            #expect(open(grant, keys: keys) == (wanted.map { .refused($0) } ?? .opened))
            combinations += 1
          }
        }
      }
    }
    #expect(combinations == 2 * 8 * 6 * 6)
  }

  @Test("A grant that is no object has expired, and one without a derivation is malformed")
  func shapes() throws {
    for shape in [
      JSONValue.null, .bool(true), .string("grant"), .number(JSONNumber(1)), .array([]), .object(JSONObject()),
    ] {
      #expect(open(shape) == .refused(.expired))
      #expect(open(shape, keys: ResolverKeys()) == .refused(.notConfigured))
    }
    for derivation in [nil, JSONValue.null, .array([]), .string("v1")] {
      #expect(open(try sealed().with("derivation", value: derivation)) == .refused(.malformed))
    }
  }

  @Test("Several keys are tried in their order, and the first one that unwraps decides")
  func severalKeys() throws {
    let both = try ThrowAway.resolver(ThrowAway.a, ThrowAway.b)
    #expect(open(try sealed(for: ThrowAway.a), keys: both) == .opened)
    #expect(open(try sealed(for: ThrowAway.b), keys: both) == .opened)
    #expect(open(try sealed(for: ThrowAway.c), keys: both) == .refused(.wrapRejected))
    let short = try sealed().with("wrappedKey", value: wrap([1, 2, 3], for: ThrowAway.b))
    #expect(open(short, keys: both) == .refused(.malformed))
    #expect(open(short, keys: ThrowAway.a.resolver) == .refused(.wrapRejected))
  }

  @Test("A v1 wrap is read as browsers read base64", arguments: ["no padding", "white space", "left-over bits"])
  func forgiving(spelling: String) throws {
    let text = try #require(try sealed()["wrappedKey"]?.text)
    let bare = String(text.prefix { $0 != "=" })
    let loose = try #require(bare.last.map { bare.dropLast() + (["A": "B", "Q": "R", "g": "h", "w": "x"][$0] ?? "?") })
    let spelled = [
      "no padding": bare, "white space": " " + bare.prefix(7) + "\n\t" + bare.dropFirst(7) + "==\r\u{C}",
      "left-over bits": loose + "==",
    ]
    let grant = try sealed().with("wrappedKey", value: .string(try #require(spelled[spelling])))
    #expect(open(grant) == .opened)
    #expect(open(try sealed().with("wrappedKey", value: .string(bare + "="))) == .refused(.malformed))
  }

  @Test("A v2 wrap never opens as v1, nor a v1 wrap as v2, whatever the JSON around it says")
  func versionsDoNotMix() throws {
    let v2 = try Ordinary.grant().json
    let dressedAsV1 = try sealed().with("wrappedKey", value: v2["wrappedKey"])
    #expect(open(dressedAsV1) == .refused(.wrapRejected))
    #expect(open(v2) == .refused(.wrapRejected))
    let v1Key = try wrap(bytes(Ordinary.missionKey(Ordinary.claims())))
    #expect(Ordinary.open(v2.with("wrappedKey", value: v1Key)) == .refused(.wrapRejected))
    #expect(Ordinary.open(try sealed()) == .refused(.malformed))
  }

  @Test("What v1 does not protect: every claim beside the wrap can be edited, and it opens")
  func nothingIsAuthenticated() throws {
    let edits: [JSONValue] = [
      try sealed().with("derivation", "recordIds", value: .array([.string("journal:secret")])),
      try sealed().with("derivation", "missionId", value: .string("another")),
      try sealed().with("derivation", "version", value: .string("v9")), try sealed().with("issuedAt", value: nil),
      try sealed().with("expiresAt", value: .string("2099-01-01T00:00Z")),
    ]
    for grant in edits { #expect(open(grant) == .opened) }
  }
}
