// The issuer as a process of its own, with a token for each user.

import Contracts
import Cryptography
import Foundation
import Store

final class BenchIssuer: Sendable {
  let service: BenchService
  private let tokens: [String]

  init(_ database: BenchDatabase, users: [String], connections: Int) throws {
    let key = try Ed25519PrivateKey.generate()
    var tokens: [String] = []
    for user in users { tokens.append(try Self.token(user, key)) }
    self.tokens = tokens
    let x = Base64URL.encode(key.publicKey().raw.span)
    let keys = #"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"1","x":"\#(x)"}]}"#
    let kek = try SecureRandom.bytes(32)
    service = try BenchService(
      "mandate-issuer", listeners: 2,
      [
        "MANDATE_DATABASE_URL": database.url(.issuer), "MANDATE_DATABASE_CONNECTIONS": "\(connections)",
        "MANA_AUTH_KEK": Base64.encode(kek.span), "MANDATE_TOKEN_ISSUER": "https://bench.test",
        "MANDATE_JWKS_FILE": try BenchFile.write(keys, to: database.folder + "/jwks.json"),
        "MANA_AI_PUBLIC_KEY_PEM": try RSAPrivateKey.generate(bits: 2048).publicKey().pem(),
        "MANDATE_PUBLIC_LISTEN": "127.0.0.1:0", "MANDATE_INTERNAL_LISTEN": "127.0.0.1:0",
      ])
  }

  private static func token(_ user: String, _ key: borrowing Ed25519PrivateKey) throws -> String {
    func part(_ text: String) -> String {
      let bytes = Array(text.utf8)
      return Base64URL.encode(bytes.span)
    }
    let end = Int(Date().timeIntervalSince1970) + 86_400
    let signed =
      part(#"{"alg":"EdDSA","typ":"JWT","kid":"1"}"#) + "."
      + part("{\"sub\":\"\(user)\",\"iss\":\"https://bench.test\",\"aud\":\"mana\",\"exp\":\(end)}")
    let bytes = Array(signed.utf8)
    let proof = try key.sign(bytes.span)
    return signed + "." + Base64URL.encode(proof.span)
  }

  func post(_ path: String, _ body: String, as user: Int) async throws {
    _ = try await service.post(path, Array(body.utf8), as: .user(token: tokens[user]))
  }
}
