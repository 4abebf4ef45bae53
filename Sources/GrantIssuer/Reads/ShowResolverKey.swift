// The key that grants are sealed for, for devices that seal their own.

package import Contracts
import Cryptography
import Grants

extension Issuer {
  package func showResolverKey() -> Result<JSONValue, IssuerProblem> {
    guard let key = resolverKey else { return .failure(.grantNotConfigured) }
    return .success(
      .object(
        JSONObject(members: [
          ("keyId", .string(key.keyIdHex)), ("pem", .string(key.pem())), ("jwk", Self.jwk(key)),
        ])))
  }

  private static func jwk(_ key: RSAPublicKey) -> JSONValue {
    let jwk = PublicJWK(key)
    return .object(
      JSONObject(members: [
        ("kty", .string(jwk.kty)), ("alg", .string(jwk.alg)), ("use", .string(jwk.use)), ("kid", .string(jwk.kid)),
        ("n", .string(jwk.n)), ("e", .string(jwk.e)),
      ]))
  }
}
