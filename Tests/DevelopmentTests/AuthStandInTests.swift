// The stand-in for the identity service: login, keys and spaces, without a server around them.

import Contracts
import Identity
import Secrets
import ServiceRuntime
import Testing

@testable import Development

@Suite("The stand-in for the identity service")
struct AuthStandInTests {
  private let place = Place()
  private let auth: AuthStandIn

  init() throws {
    let key = try SigningKey(in: place.path)
    let password = Array("open sesame".utf8)
    auth = try AuthStandIn(
      key: key,
      mint: TokenMint(issuer: "http://localhost:3001", audience: "mana", lifetimeSeconds: 900),
      password: try SecretBytes(copying: password.span),
      clock: .stopped(at: Moment(microseconds: 1_800_000_000_000_000)), opaque: { "opaque" })
  }

  private func logIn(_ body: String) async throws -> AuthAnswer {
    try await auth.answer(AuthRequest(method: "POST", path: "/api/v1/auth/login", body: Array(body.utf8)))
  }

  private func spaces(_ authorization: String?) async throws -> AuthAnswer {
    try await auth.answer(
      AuthRequest(method: "GET", path: "/api/auth/organization/list", authorization: authorization))
  }

  @Test("Who logs in gets a token that services believe, and a personal space")
  func wholeWay() async throws {
    let answer = try await logIn(#"{"email":"Ada@example.org","password":"open sesame"}"#)
    #expect(answer.status == 200)
    let token = try #require(answer.json["accessToken"]?.text)
    let user = try #require(answer.json["user"]?["id"]?.text)
    #expect(try await place.user(token, at: 1_800_000_000) == user)
    #expect(answer.json["token"]?.text == "opaque" && answer.json["refreshToken"]?.text == "opaque")
    let list = try await spaces("Bearer " + token)
    #expect(list.status == 200)
    let space = try #require(list.json.array?.first)
    #expect(space["metadata"]?["type"]?.text == "personal")
    #expect(space["id"]?.text == "space-" + user)
    let again = try await logIn(#"{"email":"ada@EXAMPLE.org","password":"open sesame"}"#)
    #expect(again.json["user"]?["id"]?.text == user)
    let other = try await logIn(#"{"email":"bob@example.org","password":"open sesame"}"#)
    #expect(other.json["user"]?["id"]?.text != user)
  }

  @Test("A wrong password and a missing or foreign token are 401")
  func refused() async throws {
    #expect(try await logIn(#"{"email":"a@b","password":"open sesam"}"#).status == 401)
    #expect(try await logIn(#"{"email":"a@b","password":""}"#).status == 401)
    for header in [nil, "", "Bearer x", "Basic x"] {
      let answer = try await spaces(header)
      #expect(answer.status == 401)
      #expect(answer.json["statusCode"] == .number(JSONNumber(401)) && answer.json["code"]?.text == "UNAUTHORIZED")
    }
  }

  @Test("A body that is no login is 400")
  func badBody() async throws {
    for body in [
      "", "[]", "{}", #"{"email":"a@b"}"#, #"{"email":1,"password":"x"}"#, #"{"email":"ab","password":"x"}"#,
      #"{"email":"a b@c","password":"x"}"#, #"{"email":"a@b","email":"c@d","password":"open sesame"}"#,
      #"{"email":"a@b","password":"\#(String(repeating: "x", count: 20_000))"}"#,
    ] { #expect(try await logIn(body).status == 400) }
  }

  @Test("The keys are the same under both names, and hold nothing private")
  func keys() async throws {
    for path in ["/api/auth/jwks", "/api/v1/auth/jwks"] {
      let answer = try await auth.answer(AuthRequest(method: "GET", path: path))
      #expect(answer.status == 200)
      let key = try #require(answer.json["keys"]?.array?.first)
      #expect(key["kty"]?.text == "OKP" && key["crv"]?.text == "Ed25519" && key["d"] == nil)
    }
    #expect(try await auth.answer(AuthRequest(method: "POST", path: "/api/auth/jwks")).status == 405)
    #expect(try await auth.answer(AuthRequest(method: "GET", path: "/")).status == 404)
  }
}
