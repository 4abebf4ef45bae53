// Tokens as a signer makes them, good and bad, and a clock that only tests move.

import Contracts
import Cryptography
import HTTPFetching
import HTTPSupport
import ServiceRuntime
import Synchronization

@testable import Identity

/// A key pair with an id, and tokens made with it from the text of their two JSON parts.
final class Signer: Sendable {
  let id: String
  private let key: Ed25519PrivateKey

  init(_ id: String) throws {
    self.id = id
    key = try Ed25519PrivateKey.generate()
  }

  var raw: [UInt8] { key.publicKey().raw }
  var x: String { Base64URL.encode(raw.span) }
  var jwk: String { #"{"kty":"OKP","crv":"Ed25519","kid":"\#(id)","x":"\#(x)"}"# }
  var header: String { #"{"alg":"EdDSA","typ":"JWT","kid":"\#(id)"}"# }

  func token(header: String? = nil, claims: String = Claims.good) throws -> String {
    try signed(encoded(header ?? self.header) + "." + encoded(claims))
  }

  /// Any text with its signature behind a dot.
  func signed(_ text: String) throws -> String {
    let bytes = Array(text.utf8)
    let signature = try key.sign(bytes.span)
    return text + "." + Base64URL.encode(signature.span)
  }
}

func encoded(_ text: String) -> String {
  let bytes = Array(text.utf8)
  return Base64URL.encode(bytes.span)
}

func keySet(_ keys: String...) -> String { #"{"keys":[\#(keys.joined(separator: ","))]}"# }

enum Claims {
  /// The moment at which all these tests take place, in seconds.
  static let now: Int64 = 1_800_000_000

  static let good = with()

  /// The good claims with some of them said otherwise; nil leaves one out. Values are JSON.
  static func with(_ changes: [(String, String?)] = []) -> String {
    var members: [(String, String?)] = [
      ("iss", #""https://auth.example""#), ("aud", #""mana""#), ("sub", #""user-1""#), ("exp", "\(now + 900)"),
      ("iat", "\(now)"),
    ]
    for (name, value) in changes {
      members.removeAll { $0.0 == name }
      members.append((name, value))
    }
    return "{" + members.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }.joined(separator: ",") + "}"
  }
}

/// An authority over keys that do not change, and the reasons of its refusals.
final class Judge: Sendable {
  private let authority: TokenAuthority

  init(_ keys: any KeySource, issuers: [String] = ["https://auth.example"], audiences: [String] = ["mana"]) {
    let reasons = Reasons()
    self.log = reasons
    authority = TokenAuthority(
      IdentityConfiguration(issuers: issuers, audiences: audiences), keys: keys,
      clock: .stopped(at: Moment(microseconds: Claims.now * 1_000_000)), refused: { reasons.add($0) })
  }

  private let log: Reasons

  convenience init(document: String) throws { self.init(try FixedKeys(document)) }

  /// The user's id, or the one reason for which there is none.
  func verdict(_ token: String) async -> String { await verdict(authorization: "Bearer " + token) }

  func verdict(authorization: String?) async -> String {
    let before = log.all.count
    do throws(Unauthenticated) {
      let user = try await authority.principal(authorization: authorization).user.text
      return log.all.count == before ? user : "let in and refused"
    } catch {
      let new = log.all.dropFirst(before)
      return new.count == 1 ? new[before].rawValue : "\(new.count) reasons"
    }
  }
}

private final class Reasons: Sendable {
  private let list = Mutex<[TokenRefusal]>([])
  func add(_ reason: TokenRefusal) { list.withLock { $0.append(reason) } }
  var all: [TokenRefusal] { list.withLock { $0 } }
}

struct FixedKeys: KeySource {
  let keys: KeySet

  init(_ document: String) throws {
    let bytes = Array(document.utf8)
    keys = try KeySet(parsing: bytes.span)
  }

  func key(_ id: String) async -> Result<FoundKey, TokenRefusal> {
    keys.key(id).map { .success(FoundKey(key: $0)) } ?? .failure(.unknownKey)
  }
}

/// A monotonic clock that a test moves.
final class Watch: Sendable {
  private let start = ContinuousClock.now
  private let elapsed = Mutex(Duration.zero)
  var now: @Sendable () -> ContinuousClock.Instant { { self.start.advanced(by: self.elapsed.withLock { $0 }) } }
  func pass(_ duration: Duration) { elapsed.withLock { $0 += duration } }
}
