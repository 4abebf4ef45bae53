// TLS: the right client is served, every wrong one is refused in the handshake, and certificates can be renewed.

import COpenSSL
import Foundation
import HTTPServing
import Testing

@Suite("TLS", .timeLimit(.minutes(3)), .serialized)
struct TLSTests {
  private static let certificates = Result { try Certificates() }

  private static func listener(clients: Bool, _ change: (inout HTTPLimits) -> Void = { _ in }) throws -> HTTPListener {
    let files = try certificates.get()
    var routes = TestServer.standardRoutes
    routes.get("/who") { request in .text(request.peer.certificateSubject ?? "nobody") }
    var limits = HTTPLimits()
    change(&limits)
    var listener = TestServer.listener(.internalSide, limits: limits, routes: routes)
    listener.tls = TLSSettings(
      certificateFile: files.path("server.pem"), keyFile: files.path("server.key"),
      clientAuthorityFile: clients ? files.path("ca.pem") : nil)
    return listener
  }

  private static func client(
    _ test: TestServer, _ name: String? = nil, newest: Int32 = TLS1_3_VERSION
  ) throws -> TLSClient {
    let files = try certificates.get()
    return try TLSClient(
      try test.connect(), authority: files.path("ca.pem"), certificate: name.map { files.path($0 + ".pem") },
      key: name.map { files.path($0 + ".key") }, newest: newest)
  }

  @Test("Without a client authority anyone is served, over TLS 1.3 and 1.2")
  func plain() async throws {
    try await TestServer.blocking(try Self.listener(clients: false)) { test in
      for version in [TLS1_3_VERSION, TLS1_2_VERSION] {
        let client = try Self.client(test, newest: version)
        for _ in 0..<3 { #expect(client.get("/who")?.hasSuffix("\r\n\r\nnobody") == true) }
      }
    }
  }

  @Test("TLS 1.1 is not spoken, nor is plain text, and a client of today is served beside them")
  func old() async throws {
    try await TestServer.blocking(try Self.listener(clients: false)) { test in
      let honest = try Self.client(test)
      #expect(honest.get("/ok") != nil)
      #expect(throws: TLSClient.HandshakeFailed.self) { try Self.client(test, newest: TLS1_1_VERSION) }
      let plain = try test.connect()
      try plain.send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try plain.rest().contains("HTTP/1.") == false)
      #expect(honest.get("/ok") != nil)
    }
  }

  @Test("A client with the right certificate is served and named")
  func mutual() async throws {
    try await TestServer.blocking(try Self.listener(clients: true)) { test in
      for version in [TLS1_3_VERSION, TLS1_2_VERSION] {
        let client = try Self.client(test, "client", newest: version)
        #expect(client.get("/who")?.hasSuffix("CN=client,O=Mandate") == true)
      }
    }
  }

  @Test(
    "A client with no certificate, an expired one, a foreign authority's or one for another purpose is never served, and the right one is meanwhile",
    arguments: [nil, "expired", "foreign-client", "wrong-purpose"], [TLS1_3_VERSION, TLS1_2_VERSION])
  func wrong(_ name: String?, version: Int32) async throws {
    try await TestServer.run([try Self.listener(clients: true)]) { test in
      try await offPool {
        let honest = try Self.client(test, "client")
        #expect(honest.get("/ok") != nil)
        // In TLS 1.3 the client hears of its refusal only after its own side of the handshake.
        let answer = Result { try Self.client(test, name, newest: version).get("/ok") }
        let wasServed = (try? answer.get()) != nil
        #expect(!wasServed)
        #expect(honest.get("/ok") != nil)
      }
      _ = await test.observed.event { if case .refused(_, .handshake) = $0 { true } else { false } }
      // The honest client's two, the second of which may be on its way to the observer.
      #expect(test.observed.records.count <= 2)
    }
  }

  @Test("A handshake that is never finished is cut off at the deadline")
  func halfHandshake() async throws {
    let listener = try Self.listener(clients: false) { $0.headTime = .milliseconds(300) }
    try await TestServer.blocking(listener) { test in
      let socket = try test.connect()
      try socket.send([0x16, 0x03, 0x01])
      #expect(try socket.receive() == nil)
      #expect(try Self.client(test).get("/ok") != nil)
    }
  }

  @Test("New certificates serve new connections; old connections stay; broken ones change nothing")
  func reload() async throws {
    let files = try Self.certificates.get()
    let folder = try TemporaryFolder()
    let place: @Sendable (String) throws -> Void = { name in
      for ending in ["pem", "key"] {
        try Data(contentsOf: URL(filePath: files.path("\(name).\(ending)"))).write(
          to: URL(filePath: folder.path("current.\(ending)")))
      }
    }
    try place("server")
    var listener = TestServer.listener()
    listener.tls = TLSSettings(certificateFile: folder.path("current.pem"), keyFile: folder.path("current.key"))
    try await TestServer.blocking(listener) { test in
      let old = try Self.client(test)
      #expect(old.serverName.hasSuffix("CN=server"))
      try place("server2")
      try test.server.reloadTLS()
      let new = try Self.client(test)
      #expect(new.serverName.hasSuffix("CN=server2"))
      #expect(old.get("/ok") != nil)
      try "nonsense".write(toFile: folder.path("current.pem"), atomically: true, encoding: .utf8)
      #expect(throws: HTTPServingError.cannotReadCertificate(path: folder.path("current.pem"))) {
        try test.server.reloadTLS()
      }
      #expect(try Self.client(test).serverName.hasSuffix("CN=server2"))
      #expect(old.get("/ok") != nil && new.get("/ok") != nil)
    }
  }

  @Test("Files that are missing, or do not fit each other, stop the start")
  func files() throws {
    let files = try Self.certificates.get()
    func start(_ certificate: String, _ key: String, _ authority: String? = nil) throws(HTTPServingError) {
      var listener = TestServer.listener()
      listener.tls = TLSSettings(
        certificateFile: files.path(certificate), keyFile: files.path(key),
        clientAuthorityFile: authority.map(files.path))
      _ = try HTTPServer([listener])
    }
    #expect(throws: HTTPServingError.cannotReadCertificate(path: files.path("no.pem"))) {
      try start("no.pem", "server.key")
    }
    #expect(throws: HTTPServingError.cannotReadPrivateKey(path: files.path("no.key"))) {
      try start("server.pem", "no.key")
    }
    #expect(throws: HTTPServingError.keyDoesNotFitCertificate) { try start("server.pem", "client.key") }
    #expect(throws: HTTPServingError.cannotReadClientAuthority(path: files.path("no.pem"))) {
      try start("server.pem", "server.key", "no.pem")
    }
  }
}
