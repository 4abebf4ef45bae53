// Whom TLS believes, tried on OpenSSL's own server with certificates made for the occasion.

import HTTPSupport
import Testing

@testable import HTTPFetching

@Suite("TLS")
struct TLSTests {
  private let folder: CertificateFolder

  init() throws { folder = try CertificateFolder() }

  private func outcome(
    certificate: String, trusting authority: String? = "root", host: String = "localhost", client: String? = nil,
    server arguments: [String] = []
  ) async throws -> Outcome {
    let server = try TLSServer(folder, certificate: certificate, arguments: arguments)
    var configuration = HTTPConfiguration()
    configuration.trust.authorityFile = authority.map { folder.file("\($0).crt") }
    configuration.trust.clientCertificateFile = client.map { folder.file("\($0).crt") }
    configuration.trust.clientKeyFile = client.map { folder.file("\($0).key") }
    var request = HTTPRequest(.get, try HTTPURL("https://\(host):\(server.port)/"))
    request.limits.total = .seconds(300)
    request.limits.connect = .seconds(300)
    let outcome = await Outcome.of(try HTTPClient(configuration), request)
    // The server's page is about the session; that there is one is enough.
    if case .answer(200, let body) = outcome { return .answer(200, body.contains("s_server") ? "page" : body) }
    return outcome
  }

  @Test("A good certificate of the named authority is believed")
  func good() async throws {
    #expect(try await outcome(certificate: "good") == .answer(200, "page"))
  }

  @Test("An expired certificate, one for another host, and one of another authority are not")
  func bad() async throws {
    #expect(try await outcome(certificate: "expired") == .failure(.untrusted))
    #expect(try await outcome(certificate: "other") == .failure(.untrusted))
    #expect(try await outcome(certificate: "good", trusting: "foreign") == .failure(.untrusted))
    #expect(try await outcome(certificate: "good", host: "127.0.0.1") == .failure(.untrusted))
  }

  @Test("Without a named authority the system's are believed, and ours is not one of them")
  func systemAuthorities() async throws {
    #expect(try await outcome(certificate: "good", trusting: nil) == .failure(.untrusted))
  }

  @Test("A server that wants a client certificate gets ours, and hangs up without one")
  func clientCertificate() async throws {
    let wanting = ["-Verify", "1", "-verify_return_error", "-CAfile", "root.crt", "-tls1_2"]
    #expect(try await outcome(certificate: "good", client: "client", server: wanting) == .answer(200, "page"))
    let without = try await outcome(certificate: "good", server: wanting)
    #expect([.failure(.tlsFailed), .failure(.interrupted)].contains(without))
  }

  @Test("Nothing older than TLS 1.2 is spoken")
  func oldVersion() async throws {
    let old = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]
    #expect(try await outcome(certificate: "good", server: old) == .failure(.tlsFailed))
    #expect(try await outcome(certificate: "good", server: ["-tls1_2"]) == .answer(200, "page"))
  }

  @Test("Certificate files that cannot be used are told apart from a bad server")
  func files() async throws {
    #expect(try await outcome(certificate: "good", trusting: "absent") == .failure(.trustFilesUnusable))
    #expect(try await outcome(certificate: "good", client: "absent") == .failure(.trustFilesUnusable))
  }

  @Test("A plain answer where TLS was meant is a failed handshake, and no redirect leads out of TLS")
  func downgrade() async throws {
    let plain = try RawServer { $0.send(answer(200, "plain")) }
    let request = HTTPRequest(.get, try HTTPURL("https://127.0.0.1:\(plain.port)/"))
    #expect(try await Outcome.of(request) == .failure(.tlsFailed))
    let secure = HTTPRequest(.get, try HTTPURL("https://localhost/"))
    #expect(throws: HTTPFailure.redirectRefused) { try secure.redirected(to: "http://localhost/") }
    #expect(throws: Never.self) { try secure.redirected(to: "https://elsewhere/") }
  }
}
