// Every token that must not let anybody in, each with the reason that the log gets; the caller gets none.

import Contracts
import Cryptography
import ServiceRuntime
import Testing

@testable import Identity

@Suite("A token")
struct TokenTests {
  private let signer: Signer
  private let judge: Judge

  init() throws {
    signer = try Signer("k1")
    judge = try Judge(document: keySet(signer.jwk))
  }

  private func verdict(_ changes: [(String, String?)]) async throws -> String {
    await judge.verdict(try signer.token(claims: Claims.with(changes)))
  }

  @Test("A good one names its user and its end")
  func good() async throws {
    #expect(await judge.verdict(try signer.token()) == "user-1")
    let authority = TokenAuthority(
      IdentityConfiguration(issuers: ["https://auth.example"], audiences: ["mana"]),
      keys: try FixedKeys(keySet(signer.jwk)), clock: .stopped(at: Moment(microseconds: Claims.now * 1_000_000)),
      refused: { _ in })
    let principal = try await authority.principal(authorization: "Bearer " + signer.token())
    #expect(principal.user == Identifier("user-1"))
    #expect(principal.expires == Moment(microseconds: (Claims.now + 900) * 1_000_000))
  }

  @Test("Only `Bearer `, spelled so, brings one")
  func scheme() async throws {
    let token = try signer.token()
    for header in [
      nil, "", "Bearer", "bearer \(token)", "Basic \(token)", token, " Bearer \(token)", "Bearer\t\(token)",
    ] {
      #expect(await judge.verdict(authorization: header) == "no-bearer")
    }
    for header in ["Bearer ", "Bearer  \(token)", "Bearer \(token) ", "Bearer \(token), Bearer \(token)"] {
      #expect(await judge.verdict(authorization: header) != "user-1")
    }
  }

  @Test("A refusal says nothing of its reason to the caller")
  func silent() async throws {
    #expect("\(Unauthenticated())" == "Unauthenticated()")
    #expect(Unauthenticated() == Unauthenticated())
  }

  // MARK: Form

  @Test("A huge one is cut before it is decoded")
  func huge() async throws {
    let long = try signer.token(claims: Claims.with([("x", "\"" + String(repeating: "y", count: 7000) + "\"")]))
    #expect(long.utf8.count > IdentityConfiguration.longestToken)
    #expect(await judge.verdict(long) == "too-long")
    #expect(await judge.verdict(String(repeating: ".", count: 1 << 20)) == "too-long")
    let room = try signer.token(claims: Claims.with([("x", "\"" + String(repeating: "y", count: 5000) + "\"")]))
    #expect(await judge.verdict(room) == "user-1")
  }

  @Test("One without exactly three parts, or with a part missing, is malformed")
  func parts() async throws {
    let token = try signer.token()
    let parts = token.split(separator: ".").map(String.init)
    for text in [
      "", ".", "..", "...", parts[0], parts[0] + "." + parts[1], token + ".", "." + token, token + ".x",
      parts[0] + ".." + parts[2], parts[0] + "." + parts[1] + ".",
    ] { #expect(await judge.verdict(text) == "malformed", "\(text)") }
  }

  @Test("Each byte of a token matters")
  func everyCharacter() async throws {
    let token = try signer.token()
    var count = 0
    for index in token.indices {
      for other in ["A", "_", ".", "=", "+", " ", "é"] where String(token[index]) != other {
        let changed = token.replacingCharacters(at: index, with: other)
        let verdict = await judge.verdict(changed)
        if verdict == "user-1" { Issue.record("\(other) at \(token.distance(from: token.startIndex, to: index))") }
        count += 1
      }
    }
    #expect(count > 1000)
  }

  @Test("Base64url has one spelling: no padding, no other alphabet, no left-over bits, no white space")
  func spelling() async throws {
    let token = try signer.token()
    let parts = token.split(separator: ".").map(String.init)
    // 64 bytes of signature leave four bits in the last character; each other one of the same top bits is a second
    // spelling, which a lenient reader takes.
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    let last = try #require(parts[2].last)
    let value = try #require(alphabet.firstIndex(of: last))
    #expect(value % 16 == 0)
    for extra in 1...15 {
      let other = parts[0] + "." + parts[1] + "." + parts[2].dropLast() + String(alphabet[value + extra])
      #expect(await judge.verdict(other) == "malformed")
    }
    for other in [token + "=", token + "==", token + "\n", " " + token, token.replacing(".", with: "=.")] {
      #expect(await judge.verdict(other) == "malformed")
    }
  }

  @Test("Header and claims are objects of proper JSON, each member once")
  func json() async throws {
    for text in ["", "[]", "null", "\"x\"", "{", "{}x", "{'a':1}", "\u{FEFF}{}", "{\"a\":\"\\ud800\"}"] {
      #expect(await judge.verdict(try signer.token(header: text)) == "malformed", "\(text)")
      #expect(await judge.verdict(try signer.token(claims: text)) == "malformed", "\(text)")
    }
    #expect(await judge.verdict(try signer.token(claims: "{}")) == "wrong-issuer")
    let good = Claims.good.dropLast()
    for twice in [
      #","sub":"root"}"#, #","exp":99999999999}"#, #","x":1,"x":1}"#, #","x":{"y":1,"y":2}}"#, #","s\u0075b":"root"}"#,
    ] {
      #expect(await judge.verdict(try signer.token(claims: good + twice)) == "duplicate-member", "\(twice)")
    }
    let header = signer.header.dropLast() + #","kid":"k1"}"#
    #expect(await judge.verdict(try signer.token(header: String(header))) == "duplicate-member")
    let deep = String(repeating: "[", count: 2500) + String(repeating: "]", count: 2500)
    #expect(await judge.verdict(try signer.token(claims: Claims.with([("x", deep)]))) == "malformed")
  }

  // MARK: Algorithm and key

  @Test(
    "Any other algorithm is refused, however it is spelled",
    arguments: [
      #""none""#, #""None""#, #""""#, #""HS256""#, #""RS256""#, #""ES256""#, #""Ed25519""#, #""eddsa""#, #""EDDSA""#,
      "null", "1", #"["EdDSA"]"#, #""EdDSA ""#,
    ])
  func algorithm(alg: String) async throws {
    let header = #"{"alg":\#(alg),"kid":"k1"}"#
    #expect(await judge.verdict(try signer.token(header: header)) == "wrong-algorithm")
    // Without a signature, as `none` has it.
    #expect(await judge.verdict(encoded(header) + "." + encoded(Claims.good) + ".") == "wrong-algorithm")
  }

  @Test("A MAC with the public key as its secret is no signature, under either name")
  func confusion() async throws {
    for alg in ["HS256", "EdDSA"] {
      let text = encoded(#"{"alg":"\#(alg)","kid":"k1"}"#) + "." + encoded(Claims.good)
      let (key, message) = (signer.raw, Array(text.utf8))
      let mac = try HMACSHA256.authenticate(message.span, key: key.span)
      let token = text + "." + Base64URL.encode(mac.span)
      #expect(await judge.verdict(token) == (alg == "HS256" ? "wrong-algorithm" : "malformed"))
      let twice = mac + mac
      #expect(
        await judge.verdict(text + "." + Base64URL.encode(twice.span))
          == (alg == "HS256" ? "wrong-algorithm" : "wrong-signature"))
    }
  }

  @Test("A header that wants more than this is refused, and keys it brings along are not looked at")
  func headers() async throws {
    for member in [#""crit":["exp"]"#, #""crit":[]"#, #""crit":null"#, #""b64":false"#, #""b64":true"#] {
      let header = #"{"alg":"EdDSA","kid":"k1",\#(member)}"#
      #expect(await judge.verdict(try signer.token(header: header)) == "unsupported-header")
    }
    for type in [#""dpop+jwt""#, #""JWE""#, "1", "null", #""""#] {
      let header = #"{"alg":"EdDSA","kid":"k1","typ":\#(type)}"#
      #expect(await judge.verdict(try signer.token(header: header)) == "unsupported-header")
    }
    for type in ["JWT", "jwt", "at+jwt", "at+JWT"] {
      #expect(
        await judge.verdict(try signer.token(header: #"{"alg":"EdDSA","kid":"k1","typ":"\#(type)"}"#)) == "user-1")
    }
    let stranger = try Signer("k1")
    for member in [
      #""jwk":\#(stranger.jwk)"#, #""jku":"http://127.0.0.1/""#, #""x5u":"http://127.0.0.1/""#, #""x5c":["a"]"#,
    ] {
      let header = #"{"alg":"EdDSA","kid":"k1",\#(member)}"#
      #expect(await judge.verdict(try stranger.token(header: header)) == "wrong-signature")
      #expect(await judge.verdict(try signer.token(header: header)) == "user-1")
    }
  }

  @Test("The key's id is a text that the source knows")
  func keyID() async throws {
    for kid in ["1", "null", "true", #"["k1"]"#, #"{"k1":1}"#, #""""#] {
      #expect(await judge.verdict(try signer.token(header: #"{"alg":"EdDSA","kid":\#(kid)}"#)) == "no-key-id")
    }
    #expect(await judge.verdict(try signer.token(header: #"{"alg":"EdDSA"}"#)) == "no-key-id")
    for kid in ["k2", "K1", "k1 ", "../k1", "k1\\u0000"] {
      #expect(await judge.verdict(try signer.token(header: #"{"alg":"EdDSA","kid":"\#(kid)"}"#)) == "unknown-key")
    }
  }

  @Test("An id is compared by its bytes")
  func keyIDBytes() async throws {
    let composed = try Signer("\u{e9}")
    let judge = try Judge(document: keySet(composed.jwk))
    #expect(await judge.verdict(try composed.token()) == "user-1")
    let header = #"{"alg":"EdDSA","kid":"e\u0301"}"#
    #expect(await judge.verdict(try composed.token(header: header)) == "unknown-key")
  }

  @Test("Another key's signature, a signature of something else, and a cut one are refused")
  func signature() async throws {
    #expect(await judge.verdict(try Signer("k1").token()) == "wrong-signature")
    let parts = try signer.token().split(separator: ".").map(String.init)
    let other = try signer.token(claims: Claims.with([("sub", #""root""#)])).split(separator: ".").map(String.init)
    #expect(await judge.verdict(parts[0] + "." + other[1] + "." + parts[2]) == "wrong-signature")
    for count in [0, 63, 65, 128] {
      let bytes = [UInt8](repeating: 0, count: count)
      let verdict = await judge.verdict(parts[0] + "." + parts[1] + "." + Base64URL.encode(bytes.span))
      #expect(verdict == "malformed")
    }
    let zeros = [UInt8](repeating: 0, count: 64)
    #expect(await judge.verdict(parts[0] + "." + parts[1] + "." + Base64URL.encode(zeros.span)) == "wrong-signature")
  }

  // MARK: Claims

  @Test("The issuer is one of those configured, byte for byte")
  func issuer() async throws {
    for value in [
      nil, "null", "1", #""""#, #""https://auth.example/""#, #""HTTPS://auth.example""#, #"["https://auth.example"]"#,
      #""https://auth.example\u0000""#,
    ] { #expect(try await verdict([("iss", value)]) == "wrong-issuer") }
    let two = Judge(try FixedKeys(keySet(signer.jwk)), issuers: ["a", "b"])
    #expect(await two.verdict(try signer.token(claims: Claims.with([("iss", #""b""#)]))) == "user-1")
  }

  @Test("The audience names us, alone or in a list")
  func audience() async throws {
    for value in [
      nil, "null", "1", #""""#, #""Mana""#, #""mana2""#, "[]", #"["other"]"#, #"["mana",1]"#, #"[["mana"]]"#,
      #"{"mana":1}"#, "[\"mana\"" + String(repeating: ",\"x\"", count: 64) + "]",
    ] { #expect(try await verdict([("aud", value)]) == "wrong-audience", "\(value ?? "absent")") }
    for value in [#""mana""#, #"["mana"]"#, #"["other","mana"]"#] {
      #expect(try await verdict([("aud", value)]) == "user-1")
    }
  }

  @Test("The subject is an id as ours are")
  func subject() async throws {
    for value in [
      nil, "null", "1", #""""#, #"["user-1"]"#, #""a\u0000b""#, #""a\nb""#, #""\u0085""#,
      "\"" + String(repeating: "x", count: 257) + "\"",
    ] { #expect(try await verdict([("sub", value)]) == "unusable-subject") }
    let longest = String(repeating: "x", count: 256)
    #expect(try await verdict([("sub", "\"\(longest)\"")]) == longest)
    #expect(try await verdict([("sub", #""\u00fcser 1""#)]) == "üser 1")
  }

  @Test("The end is a whole number of seconds, and ahead")
  func expiry() async throws {
    let now = Claims.now
    for value in [
      nil, "null", "\"\(now + 900)\"", "\(now + 900).0", "\(now + 900).5", "18e8", "1e400", "-1", "true", "[]",
      "253402300800", "9223372036854775807", "99999999999999999999999999", "-0.0",
    ] { #expect(try await verdict([("exp", value)]) == "unusable-time", "\(value ?? "absent")") }
    for value in ["0", "\(now - 900)", "\(now - 1)", "\(now)"] {
      #expect(try await verdict([("exp", value)]) == "expired")
    }
    for value in ["\(now + 1)", "253402300799"] { #expect(try await verdict([("exp", value)]) == "user-1") }
  }

  @Test("A beginning is at most five seconds ahead, where there is one")
  func beginnings() async throws {
    let now = Claims.now
    for name in ["nbf", "iat"] {
      for value in ["\"\(now)\"", "\(now).5", "null", "-5", "1e9", "999999999999999"] {
        #expect(try await verdict([(name, value)]) == "unusable-time", "\(name) \(value)")
      }
      for value in ["\(now + 6)", "\(now + 86_400)"] { #expect(try await verdict([(name, value)]) == "not-yet-valid") }
      for value in [nil, "0", "\(now - 86_400)", "\(now)", "\(now + 5)"] {
        #expect(try await verdict([(name, value)]) == "user-1")
      }
    }
  }
}

extension String {
  fileprivate func replacingCharacters(at index: Index, with other: String) -> String {
    String(self[..<index]) + other + String(self[self.index(after: index)...])
  }
}
