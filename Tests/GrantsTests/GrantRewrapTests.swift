// Moving a grant to another key, apart from any database: the same mission key, the same claims, another key's id.

import Contracts
import Cryptography
import Secrets
import Testing

@testable import Grants

@Suite struct GrantRewrapTests {
  private static let claims = Ordinary.claims(for: ThrowAway.a)

  private func rewrap(
    _ wrapped: [UInt8]? = nil, label: GrantLabel = GrantLabel(claims), keys: ResolverKeys? = nil,
    for pair: ThrowAway.Pair = ThrowAway.c
  ) throws -> RewrappedGrant {
    let wrapped = try wrapped ?? Ordinary.grant(Self.claims, for: ThrowAway.a).wrappedKey
    return try SealedGrantV2.rewrap(
      wrapped, label: label, keys: try keys ?? ThrowAway.resolver(ThrowAway.c, ThrowAway.b, ThrowAway.a),
      for: pair.publicKey)
  }

  @Test("The new wrap opens with the new key alone, to the same key, under claims that differ in the key's id alone")
  func moves() throws {
    for pair in [ThrowAway.b, ThrowAway.c] {
      let moved = try rewrap(for: pair)
      #expect(moved.keyId == pair.publicKey.keyIdHex && moved.wrappedKey.count == pair.publicKey.bits / 8)
      let label = try #require(GrantLabel(parsing: moved.claims))
      #expect(label == GrantLabel(Ordinary.claims(for: pair)))
      let key = try pair.resolver.unwrapV2(wrapped: moved.wrappedKey, label: label)
      #expect(bytes(key) == (try bytes(Ordinary.missionKey(Self.claims))))
      // Neither the former key nor the former claims open it.
      for (keys, label) in [(ThrowAway.a.resolver, label), (pair.resolver, GrantLabel(Self.claims))] {
        let error = #expect(throws: GrantFailure.self) {
          _ = try keys.unwrapV2(wrapped: moved.wrappedKey, label: label)
        }
        #expect(error == .refused(.wrapRejected))
      }
    }
  }

  @Test("A wrap that does not open under its own claims is refused, whatever is wrong with it")
  func refused() throws {
    let good = try Ordinary.grant(Self.claims, for: ThrowAway.a).wrappedKey
    let other = GrantLabel(Ordinary.claims(user: "user-9", for: ThrowAway.a))
    let attempts: [() throws -> RewrappedGrant] = [
      { try rewrap(good.dropLast() + [good[good.count - 1] ^ 1]) }, { try rewrap([]) }, { try rewrap(label: other) },
      { try rewrap(label: GrantLabel(Ordinary.claims(for: ThrowAway.b))) },
      { try rewrap(keys: ThrowAway.c.resolver) },
    ]
    for attempt in attempts {
      let error = #expect(throws: GrantFailure.self) { _ = try attempt() }
      #expect(error == .refused(.wrapRejected))
    }
    let none = #expect(throws: GrantFailure.self) { _ = try rewrap(keys: ResolverKeys()) }
    #expect(none == .refused(.notConfigured))
  }

  @Test("A new wrap that could not be opened here is not handed out: it would take the place of the only one that can")
  func unproved() throws {
    let error = #expect(throws: GrantFailure.self) { _ = try rewrap(keys: ThrowAway.a.resolver, for: ThrowAway.b) }
    guard case .failed = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("The current key of a resolver is the first of its keys")
  func current() throws {
    #expect(try ThrowAway.resolver(ThrowAway.b, ThrowAway.a).currentPublicKey == ThrowAway.b.publicKey)
    #expect(ResolverKeys().currentPublicKey == nil)
  }
}
