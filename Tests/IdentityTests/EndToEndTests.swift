// Every token that must not let anybody in, over real HTTP: whatever is wrong with it, the caller gets the same bytes.

import Contracts
import Cryptography
import HTTPSupport
import ServiceRuntime
import Synchronization
import Testing

@testable import Identity

@Suite("A service's answer to a bad token")
struct EndToEndTests {
  private struct Attempt {
    let name: String
    let reason: TokenRefusal
    /// The `Authorization` lines.
    let values: [String]
    var path = "/me"

    init(_ name: String, _ reason: TokenRefusal, _ values: String...) {
      (self.name, self.reason, self.values) = (name, reason, values)
    }

    init(_ reason: TokenRefusal, _ name: String, token: String) {
      (self.name, self.reason, values) = (name, reason, ["Bearer " + token])
    }
  }

  private let signer: Signer

  init() throws { signer = try Signer("k1") }

  @Test("It is the same 401, byte for byte, whatever is wrong; and a good token gets its user")
  func table() async throws {
    let source = try KeySourceTests.Source(document)
    let dark = try KeySourceTests.Source(nil)
    let reasons = Mutex<[TokenRefusal]>([])
    let configuration = IdentityConfiguration(issuers: ["https://auth.example"], audiences: ["mana"])
    let clock = WallClock.stopped(at: Moment(microseconds: Claims.now * 1_000_000))
    let authorities = [("/me" as StaticString, source.keys), ("/dark", dark.keys)].map { path, keys in
      let authority = TokenAuthority(configuration, keys: keys, clock: clock) { reason in
        reasons.withLock { $0.append(reason) }
      }
      return (path: path, authority: authority)
    }
    let service = try TokenService(authorities)
    try await service.whileServing {
      let good = try #require(try ask(service, "/me", ["Bearer " + signer.token()]))
      #expect(good.status == 200 && good.body == "user-1")
      var first: RawClient.Answer?
      let attempts = try attempts()
      for attempt in attempts {
        let answer = try #require(try ask(service, attempt.path, attempt.values), "\(attempt.name)")
        #expect(answer.status == 401, "\(attempt.name)")
        #expect(answer == first ?? answer, "\(attempt.name)")
        first = first ?? answer
      }
      let seen = reasons.withLock { $0 }
      #expect(seen == attempts.map(\.reason))
      // No reason was left out, so none could have an answer of its own.
      #expect(Set(seen) == Set(TokenRefusal.allCases))
      #expect(first?.body.contains("token") == false && (first?.headers.count ?? 0) > 3)
      // Bad tokens have not spoilt the good one.
      #expect(try ask(service, "/me", ["Bearer " + signer.token()])?.status == 200)
    }
  }

  private func ask(_ service: TokenService, _ path: String, _ values: [String]) throws -> RawClient.Answer? {
    let lines = ["GET \(path) HTTP/1.1", "Host: a", "Connection: close"] + values.map { "Authorization: \($0)" }
    return try RawClient.ask(
      port: service.port, lines.joined(separator: "\r\n") + "\r\n\r\n", leavingOut: ["x-request-id", "date"])
  }

  /// The one good key among keys of every other type, each under an id that tokens below ask for.
  private var document: String {
    keySet(
      signer.jwk, #"{"kty":"RSA","kid":"rsa","n":"\#(signer.x)","e":"AQAB"}"#,
      #"{"kty":"EC","crv":"P-256","kid":"ec","x":"\#(signer.x)","y":"\#(signer.x)"}"#,
      #"{"kty":"OKP","crv":"X25519","kid":"x25519","x":"\#(signer.x)"}"#,
      #"{"kty":"oct","kid":"oct","k":"\#(signer.x)"}"#,
      #"{"kty":"OKP","crv":"Ed25519","kid":"encryption","use":"enc","x":"\#(signer.x)"}"#)
  }

  private func attempts() throws -> [Attempt] {
    let good = try signer.token()
    var outage = Attempt(.noKeys, "source outage", token: good)
    outage.path = "/dark"
    return try [
      Attempt("no header", .noBearer), Attempt("empty", .noBearer, ""), Attempt("two headers", .noBearer, good, good),
      Attempt("two good ones", .noBearer, "Bearer " + good, "Bearer " + good),
      Attempt("other scheme", .noBearer, "Basic dXNlcjpwYXNz"), Attempt("lower case", .noBearer, "bearer " + good),
      Attempt("no scheme", .noBearer, good), Attempt("two in one", .malformed, "Bearer \(good), Bearer \(good)"),
      outage,
    ] + forms(good) + algorithms() + claims()
  }

  private func forms(_ good: String) throws -> [Attempt] {
    let members = Claims.good.dropLast()
    return [
      Attempt(.malformed, "no token", token: "x"), Attempt(.malformed, "padding", token: good + "="),
      Attempt(.malformed, "cut", token: String(good.dropLast(4))),
      Attempt(.malformed, "no JSON", token: try signer.token(claims: "x")),
      Attempt(
        .tooLong, "huge",
        token: try signer.token(claims: Claims.with([("x", "\"" + String(repeating: "y", count: 7000) + "\"")]))),
      Attempt(.duplicateMember, "duplicate claim", token: try signer.token(claims: members + #","sub":"root"}"#)),
      Attempt(
        .duplicateMember, "duplicate in the header",
        token: try signer.token(header: String(signer.header.dropLast()) + #","kid":"k1"}"#)),
      Attempt(.wrongSignature, "another's signature", token: try Signer("k1").token()),
    ]
  }

  private func algorithms() throws -> [Attempt] {
    var list: [Attempt] = []
    for alg in ["none", "None", "HS256", "RS256", "ES256", "Ed25519"] {
      let header = #"{"alg":"\#(alg)","kid":"k1"}"#
      let unsigned = encoded(header) + "." + encoded(Claims.good)
      list.append(Attempt(.wrongAlgorithm, "\(alg), signed", token: try signer.token(header: header)))
      list.append(Attempt(.wrongAlgorithm, "\(alg), unsigned", token: unsigned + "."))
    }
    for (alg, reason) in [("HS256", TokenRefusal.wrongAlgorithm), ("EdDSA", .wrongSignature)] {
      let text = encoded(#"{"alg":"\#(alg)","kid":"k1"}"#) + "." + encoded(Claims.good)
      let (key, message) = (signer.raw, Array(text.utf8))
      let mac = try HMACSHA256.authenticate(message.span, key: key.span)
      let twice = mac + mac
      list.append(Attempt(reason, "MAC as \(alg)", token: text + "." + Base64URL.encode(twice.span)))
    }
    for kid in ["rsa", "ec", "x25519", "oct", "encryption", "other"] {
      let header = #"{"alg":"EdDSA","kid":"\#(kid)"}"#
      list.append(Attempt(.unknownKey, "key \(kid)", token: try signer.token(header: header)))
    }
    for (member, reason) in [
      (#""kid":"k1","crit":["exp"]"#, TokenRefusal.unsupportedHeader),
      (#""kid":"k1","typ":"dpop+jwt""#, .unsupportedHeader),
      (#""typ":"JWT""#, .noKeyID),
    ] { list.append(Attempt(reason, member, token: try signer.token(header: #"{"alg":"EdDSA",\#(member)}"#))) }
    return list
  }

  private func claims() throws -> [Attempt] {
    let now = Claims.now
    let table: [(TokenRefusal, String, String?)] = [
      (.wrongIssuer, "iss", nil), (.wrongIssuer, "iss", #""https://other.example""#), (.wrongAudience, "aud", nil),
      (.wrongAudience, "aud", #"["other"]"#), (.unusableSubject, "sub", nil), (.unusableSubject, "sub", "\"\""),
      (.unusableTime, "exp", nil), (.unusableTime, "exp", "\"\(now + 900)\""), (.expired, "exp", "\(now)"),
      (.notYetValid, "nbf", "\(now + 6)"), (.notYetValid, "iat", "\(now + 60)"),
    ]
    return try table.map { reason, name, value in
      Attempt(reason, "\(name) \(value ?? "absent")", token: try signer.token(claims: Claims.with([(name, value)])))
    }
  }
}
