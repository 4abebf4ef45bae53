// The public half as a JSON web key (RFC 7517), as the issuer serves it and browsers import it.

import Cryptography
internal import FoundationEssentials

struct PublicJWK: Encodable, Equatable, Sendable {
  let kty = "RSA"
  let alg = "RSA-OAEP-256"
  let use = "enc"
  let kid: String
  let n: String
  let e: String

  init(_ key: RSAPublicKey) {
    kid = key.keyIdHex
    (n, e) = (Self.text(Self.modulus(key)), Self.text(Self.exponent))
  }

  /// 65537; no key with another exponent is ever loaded.
  private static let exponent: [UInt8] = [1, 0, 1]

  /// The canonical DER of such a key ends with the modulus and then the exponent, tag and length (2 bytes) included.
  private static func modulus(_ key: RSAPublicKey) -> [UInt8] {
    Array(key.spki.dropLast(exponent.count + 2).suffix((key.bits + 7) / 8))
  }

  private static func text(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString(options: [.base64URLAlphabet, .omitPaddingCharacter])
  }
}
