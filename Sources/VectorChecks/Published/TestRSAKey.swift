// An RSA key of a published vector, through the loader that the services use.

import Cryptography
import Secrets

enum TestRSAKey: Sendable {
  case loaded(LoadedTestKey)
  /// A good key that our loader refuses on purpose: the reason under which its cases are skipped.
  case notTaken(String)
  case unreadable(String)

  init(pkcs8: [UInt8]) {
    do throws(KeyLoadError) {
      self = .loaded(LoadedTestKey(try RSAPrivateKey(pkcs8: pkcs8.span)))
    } catch {
      self = Self.refusal(of: error).map(TestRSAKey.notTaken) ?? .unreadable("the private key does not load")
    }
  }

  /// Rules of ours that published keys may break; nil for a key that is wrong in itself.
  static func refusal(of error: KeyLoadError) -> String? {
    switch error {
    case .tooSmall: "key under 2048 bits"
    case .tooLarge: "key over 4096 bits"
    case .oddExponent: "exponent is not 65537"
    default: nil
    }
  }
}

/// A class, because a case's closure cannot capture what has only one owner.
final class LoadedTestKey: Sendable {
  private let key: RSAPrivateKey

  init(_ key: consuming RSAPrivateKey) { self.key = key }

  /// Nil where exactly the message comes out. Throws `.rejected` where nothing does.
  func difference(
    decrypting ciphertext: [UInt8], to message: [UInt8], label: [UInt8], hash: OAEPHash, mgf: OAEPHash
  ) throws(CryptographyError) -> String? {
    let opened = try key.decryptOAEP(ciphertext.span, label: label.span, hash: hash, mgf: mgf)
    let isRight = opened.equals(message.span)
    return isRight ? nil : "another message came out of the decryption"
  }
}

extension OAEPHash {
  /// `SHA-256`, `SHA256`, `sha256`, `SHA-512/224`: as the collections spell them.
  init?(name: String) {
    switch name.lowercased().filter({ $0 != "-" }) {
    case "sha1": self = .sha1
    case "sha224": self = .sha224
    case "sha256": self = .sha256
    case "sha384": self = .sha384
    case "sha512": self = .sha512
    case "sha512/224", "sha512224": self = .sha512_224
    case "sha512/256", "sha512256": self = .sha512_256
    default: return nil
    }
  }
}
