// The keys of a grant-unwrap file, each loaded once through the loader of the services. Many are wrong on purpose.

import Contracts
import Cryptography
import Grants
import ServiceRuntime

struct GrantUnwrapKeys: Sendable {
  enum Key: Sendable {
    case loaded(ResolverKeys)
    /// A good key that our loader refuses on purpose, and why.
    case notTaken(String)
    /// Not configured, or nothing that loads.
    case none

    var resolver: ResolverKeys { if case .loaded(let keys) = self { keys } else { ResolverKeys() } }
  }

  private let keys: [String: Key]
  private let publicKeys: [String: RSAPublicKey]

  init(_ file: JSONValue) throws(UnreadableVectors) {
    var (keys, publicKeys): ([String: Key], [String: RSAPublicKey]) = ([:], [:])
    guard let members = file["keys"]?.object?.members else { throw UnreadableVectors(why: "member keys is missing") }
    for member in members {
      guard let pem = member.value["privatePem"]?.text else {
        throw UnreadableVectors(why: "key \(Printable.name(member.key.text)) has no privatePem")
      }
      let publicKey = try Self.publicKey(member.value["publicPem"]?.text)
      keys[member.key.text] = try Self.key(pem, publicKey)
      publicKeys[member.key.text] = publicKey
    }
    (self.keys, self.publicKeys) = (keys, publicKeys)
  }

  func key(_ name: String) throws(CaseProblem) -> Key {
    guard let key = keys[name] else { throw CaseProblem(why: "keyId names no key of the file") }
    return key
  }

  /// Nil for a key that our loader refuses on purpose.
  func publicKey(_ name: String) throws(CaseProblem) -> RSAPublicKey? {
    guard keys[name] != nil else { throw CaseProblem(why: "publicKeyId names no key of the file") }
    return publicKeys[name]
  }

  private static func key(_ pem: String, _ publicKey: RSAPublicKey?) throws(UnreadableVectors) -> Key {
    let loaded: (keys: ResolverKeys, publicHalf: RSAPublicKey)
    do throws(KeyLoadError) { loaded = try load(pem) } catch {
      return TestRSAKey.refusal(of: error).map(Key.notTaken) ?? .none
    }
    guard publicKey == nil || publicKey == loaded.publicHalf else {
      throw UnreadableVectors(why: "a private and a public key of the file do not belong together")
    }
    return .loaded(loaded.keys)
  }

  private static func load(_ pem: String) throws(KeyLoadError) -> (ResolverKeys, RSAPublicKey) {
    let text = Array(pem.utf8)
    let key = try RSAPrivateKey(pem: text.span)
    let publicHalf = key.publicKey()
    return (ResolverKeys(key), publicHalf)
  }

  private static func publicKey(_ pem: String?) throws(UnreadableVectors) -> RSAPublicKey? {
    guard let pem else { return nil }
    let text = Array(pem.utf8)
    do throws(KeyLoadError) { return try RSAPublicKey(pem: text.span) } catch {
      guard TestRSAKey.refusal(of: error) != nil else { throw UnreadableVectors(why: "a publicPem does not load") }
      return nil
    }
  }
}
