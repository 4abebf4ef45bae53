// Tokens and keys of other implementations, where the machine has them: ours must take what they make.

import HTTPSupport
import Testing

@testable import Identity

@Suite("Other implementations")
struct InteroperationTests {
  /// Both print a document of keys, a token, and the same token with another user's id under the old signature.
  private static let node = """
    const { generateKeyPairSync, sign } = require('node:crypto')
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')
    const now = \(Claims.now), claims = { iss: 'https://auth.example', aud: ['mana'], sub: 'üser', iat: now, exp: now + 900 }
    const text = part({ alg: 'EdDSA', kid: 'theirs', typ: 'JWT' }) + '.' + part(claims)
    const signature = sign(null, Buffer.from(text), privateKey).toString('base64url')
    console.log(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'theirs', use: 'sig', alg: 'EdDSA' }] }))
    console.log(text + '.' + signature)
    console.log(text.split('.')[0] + '.' + part({ ...claims, sub: 'root' }) + '.' + signature)
    """

  private static let python = """
    import base64, json
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    part = lambda data: base64.urlsafe_b64encode(data).rstrip(b'=').decode()
    text = lambda value: part(json.dumps(value).encode())
    key = Ed25519PrivateKey.generate()
    now = \(Claims.now)
    claims = {'iss': 'https://auth.example', 'aud': 'mana', 'sub': 'üser', 'iat': now, 'exp': now + 900}
    head = text({'typ': 'JWT', 'alg': 'EdDSA', 'kid': 'theirs'})
    signature = part(key.sign((head + '.' + text(claims)).encode()))
    x = part(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    print(json.dumps({'keys': [{'kty': 'OKP', 'crv': 'Ed25519', 'kid': 'theirs', 'x': x}]}))
    print(head + '.' + text(claims) + '.' + signature)
    print(head + '.' + text({**claims, 'sub': 'root'}) + '.' + signature)
    """

  private func check(_ lines: [String]) async throws {
    try #require(lines.count == 3)
    let judge = try Judge(document: lines[0])
    #expect(await judge.verdict(lines[1]) == "üser")
    #expect(await judge.verdict(lines[2]) == "wrong-signature")
  }

  @Test("A token that node made", .enabled(if: Program.works("node", "--version"), "node is not installed"))
  func fromNode() async throws { try await check(Program.lines("node", "-e", Self.node)) }

  @Test(
    "A token that python made",
    .enabled(if: Program.works("python3", "-c", "import cryptography"), "python3-cryptography is not installed"))
  func fromPython() async throws { try await check(Program.lines("python3", "-c", Self.python)) }
}
