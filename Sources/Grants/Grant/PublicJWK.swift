// The public half of a resolver's key as a JSON web key (RFC 7517): what the issuer serves, browsers import, and the
// operator's command shows.

import Contracts
package import Cryptography

package struct PublicJWK: Encodable, Equatable, Sendable {
  package let kty = "RSA"
  package let alg = "RSA-OAEP-256"
  package let use = "enc"
  package let kid: String
  package let n: String
  package let e: String

  package init(_ key: RSAPublicKey) {
    kid = key.keyIdHex
    (n, e) = (Base64URL.encode(Self.modulus(key).span), Base64URL.encode(Self.exponent.span))
  }

  /// 65537; no key with another exponent is ever loaded.
  private static let exponent: [UInt8] = [1, 0, 1]

  /// The canonical DER of such a key ends with the modulus and then the exponent, tag and length (2 bytes) included.
  private static func modulus(_ key: RSAPublicKey) -> [UInt8] {
    Array(key.spki.dropLast(exponent.count + 2).suffix((key.bits + 7) / 8))
  }
}
