// The key that grants are sealed for, for devices that seal their own.

package import Contracts
import Cryptography

extension Issuer {
  package func showResolverKey() -> Result<JSONValue, IssuerProblem> {
    guard let key = resolverKey else { return .failure(.grantNotConfigured) }
    return .success(
      .object(
        JSONObject(members: [
          ("keyId", .string(key.keyIdHex)), ("pem", .string(key.pem())), ("jwk", Self.jwk(key)),
        ])))
  }

  /// RFC 7517. The canonical DER of such a key ends with the modulus and then the exponent, 65537, with its tag and
  /// length; no key with another exponent is ever loaded.
  private static func jwk(_ key: RSAPublicKey) -> JSONValue {
    let modulus = Array(key.spki.dropLast(5).suffix((key.bits + 7) / 8))
    return .object(
      JSONObject(members: [
        ("kty", .string("RSA")), ("alg", .string("RSA-OAEP-256")), ("use", .string("enc")),
        ("kid", .string(key.keyIdHex)), ("n", .string(base64URL(modulus))), ("e", .string("AQAB")),
      ]))
  }

  private static func base64URL(_ bytes: [UInt8]) -> String {
    let text = Base64.encode(bytes.span).utf8.compactMap { character -> UInt8? in
      switch character {
      case UInt8(ascii: "+"): UInt8(ascii: "-")
      case UInt8(ascii: "/"): UInt8(ascii: "_")
      case UInt8(ascii: "="): nil
      default: character
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
