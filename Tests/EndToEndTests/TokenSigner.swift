// Whoever signs users' tokens in these tests: right ones, and wrong ones of every kind.

import Contracts
import Cryptography
import Foundation
import Secrets

final class TokenSigner: Sendable {
  static let issuer = "https://auth.test"
  private let key: Ed25519PrivateKey
  private let id = "key-1"

  init() throws { key = try Ed25519PrivateKey.generate() }

  var keySet: String {
    let x = Base64URL.encode(key.publicKey().raw.span)
    return #"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"\#(id)","x":"\#(x)"}]}"#
  }

  func token(_ user: String) throws -> String { try signed(claims(sub: JSONValue.string(user).compactText())) }

  /// The claims of a good token, each of which may be replaced by JSON text or left out.
  func claims(
    sub: String? = "\"anna\"", iss: String? = "\"\(issuer)\"", aud: String? = "\"mana\"", exp: String? = nil,
    more: String = ""
  ) -> String {
    let now = Int(Date().timeIntervalSince1970)
    let members = [
      sub.map { "\"sub\":\($0)" }, iss.map { "\"iss\":\($0)" }, aud.map { "\"aud\":\($0)" },
      exp == "none" ? nil : "\"exp\":\(exp ?? "\(now + 900)")",
    ].compactMap(\.self)
    return "{\(members.joined(separator: ","))\(more)}"
  }

  func signed(_ claims: String, header: String? = nil, signature: [UInt8]? = nil) throws -> String {
    let header = header ?? #"{"alg":"EdDSA","typ":"JWT","kid":"\#(id)"}"#
    func part(_ text: String) -> String {
      let bytes = Array(text.utf8)
      return Base64URL.encode(bytes.span)
    }
    let signed = part(header) + "." + part(claims)
    let bytes = Array(signed.utf8)
    if let signature { return signed + "." + Base64URL.encode(signature.span) }
    let proof = try key.sign(bytes.span)
    return signed + "." + Base64URL.encode(proof.span)
  }
}
