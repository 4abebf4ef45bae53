// Mission keys from the bytes in a file. A mission key of ours comes into being by derivation or by an unwrap and in
// no other way, and test vectors are no reason to open a third: so the bytes are wrapped for a throw-away resolver,
// as a v1 grant would carry them, and unwrapped again.

import Cryptography
import Grants
import Secrets
import Synchronization

final class TestMissionKeys: Sendable {
  static let shared = TestMissionKeys()

  /// A class, because a case holds on to it and a mission key has one owner.
  final class Key: Sendable {
    let missionKey: MissionKeyV1
    init(_ missionKey: consuming MissionKeyV1) { self.missionKey = missionKey }
  }

  private struct Resolver: Sendable {
    let publicKey: RSAPublicKey
    let keys: ResolverKeys
  }

  private let resolver: Mutex<Resolver?> = Mutex(nil)

  func key(_ bytes: [UInt8]) throws(CaseProblem) -> Key {
    guard bytes.count == MissionKeyV1.byteCount else { throw CaseProblem(why: "keyHex is not 32 bytes") }
    do {
      let resolver = try throwAwayResolver()
      let wrapped = try resolver.publicKey.encryptOAEP(bytes.span, label: Span<UInt8>())
      return Key(try resolver.keys.unwrapV1(wrapped: wrapped))
    } catch { throw CaseProblem(why: "our own failure: \(error)") }
  }

  /// Made once, when it is first needed: a run without such files pays nothing.
  private func throwAwayResolver() throws -> Resolver {
    try resolver.withLock { made in
      if let made { return made }
      let key = try RSAPrivateKey.generate(bits: 2048)
      let fresh = Resolver(publicKey: key.publicKey(), keys: ResolverKeys(key))
      made = fresh
      return fresh
    }
  }
}
