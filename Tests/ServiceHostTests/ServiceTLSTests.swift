// Certificates of the internal listener, and what --check-config says of them; --help and the page of metrics as the
// tools of operators read them.

import Foundation
import HTTPFetching
import HTTPSupport
import ServiceRuntime
import Testing

@Suite struct ServiceTLSTests {
  /// The files that a service was told of, to be exchanged under its feet.
  private struct Files {
    let certificates: CertificateFolder

    init() throws {
      certificates = try CertificateFolder()
      try install("good")
    }

    func path(_ name: String) -> String { certificates.file(name) }

    func install(_ name: String) throws {
      for kind in ["crt", "key"] { try install("\(name).\(kind)", as: "service.\(kind)") }
    }

    func install(_ name: String, as other: String) throws {
      try Data(contentsOf: URL(filePath: path(name))).write(to: URL(filePath: path(other)))
    }

    var environment: [String: String] {
      [
        "MANDATE_INTERNAL_TLS_CERTIFICATE": path("service.crt"), "MANDATE_INTERNAL_TLS_KEY": path("service.key"),
        "MANDATE_INTERNAL_TLS_CLIENT_CA": path("root.crt"),
      ]
    }

    /// Who believes certificates of this authority alone; a new one begins with a new connection.
    func caller(trusting authority: String, as client: String? = "client") throws -> Caller {
      try Caller(
        authorityFile: path("\(authority).crt"), certificateFile: client.map { path("\($0).crt") },
        keyFile: client.map { path("\($0).key") })
    }
  }

  @Test("A renewed certificate is taken over at SIGHUP, and connections that are open stay open")
  func renewal() async throws {
    let files = try Files()
    let service = try RunningService(files.environment)
    let url = try await Self.health(service)
    let before = try files.caller(trusting: "root")
    #expect(try await before.get(url).status == 200)
    await #expect(throws: HTTPFailure.untrusted) { try await files.caller(trusting: "foreign").get(url) }
    try files.certificates.sign("renewed", "DNS:localhost", days: 2, by: "foreign")
    try files.install("renewed")
    service.signal(SIGHUP)
    try await service.line("Reloaded.")
    #expect(try await files.caller(trusting: "foreign").get(url).status == 200)
    await #expect(throws: HTTPFailure.untrusted) { try await files.caller(trusting: "root").get(url) }
    // This one would not believe the new certificate, so it can only have used the connection that it had.
    #expect(try await before.get(url).status == 200)
    service.signal(SIGTERM)
    #expect(try await service.end() == 0)
  }

  @Test("What is wrong at SIGHUP changes nothing: no certificate, no key, a key of another certificate")
  func wrongRenewal() async throws {
    let files = try Files()
    let service = try RunningService(files.environment)
    let url = try await Self.health(service)
    try files.certificates.sign("renewed", "DNS:localhost", days: 2, by: "foreign")
    for spoil in [
      { try Data("no certificate".utf8).write(to: URL(filePath: files.path("service.crt"))) },
      { try files.install("renewed.crt", as: "service.crt") },
      { try FileManager.default.removeItem(atPath: files.path("service.key")) },
    ] as [() throws -> Void] {
      try files.install("good")
      try spoil()
      service.signal(SIGHUP)
      try await service.line("Could not be reloaded; what was there stays.")
      #expect(try await files.caller(trusting: "root").get(url).status == 200)
    }
    try files.install("renewed")
    service.signal(SIGHUP)
    try await service.line("Reloaded.")
    #expect(try await files.caller(trusting: "foreign").get(url).status == 200)
  }

  @Test(
    "A caller without a certificate, or with one of another authority, gets no answer", arguments: [nil, "stranger"])
  func strangers(client: String?) async throws {
    let files = try Files()
    try files.certificates.sign("stranger", "DNS:client", days: 2, by: "foreign")
    let service = try RunningService(files.environment)
    let url = try await Self.health(service)
    await #expect(throws: HTTPFailure.self) { try await files.caller(trusting: "root", as: client).get(url) }
    #expect(try await files.caller(trusting: "root").get(url).status == 200)
  }

  private static func health(_ service: RunningService) async throws -> String {
    let inside = try await service.addresses().inside
    let port = try #require(inside.split(separator: ":").last)
    // The certificate is for this name.
    return "https://localhost:\(port)/health"
  }

  // MARK: Asked without serving

  private static func run(_ option: String, _ environment: [String: String]) throws -> (code: Int32, said: String) {
    let variables = environment.map { "\($0)=\($1)" }
    let child = try Child(["env", "-i"] + variables + [RunningService.program, option], readsErrors: true)
    let said = child.rest()
    return (child.end(), said)
  }

  @Test("--check-config takes a certificate with its key, and refuses a key that is missing or another's, by its name")
  func checkConfiguration() throws {
    let files = try Files()
    let environment = files.environment.merging(["MANDATE_EXAMPLE_FILE": "/dev/null"]) { $1 }
    let good = try Self.run("--check-config", environment)
    #expect(good.code == 0 && good.said.contains("every setting can be used"))
    try files.install("client.key", as: "service.key")
    let foreign = try Self.run("--check-config", environment)
    #expect(foreign.code == 2 && foreign.said.contains("does not belong to its certificate"))
    try FileManager.default.removeItem(atPath: files.path("service.key"))
    let missing = try Self.run("--check-config", environment)
    #expect(missing.code == 2 && missing.said.contains(files.path("service.key")))
  }

  @Test("--help names every variable that the service reads, and no other")
  func help() throws {
    let help = try Self.run("--help", [:])
    #expect(help.code == 0)
    let words = Set(help.said.split { !($0.isUppercase || $0.isNumber || $0 == "_") }.map(String.init))
    let named = Set(KnownVariable.allCases.filter { words.contains($0.rawValue) })
    #expect(
      named == [
        .exampleFile, .publicListen, .publicCertificate, .publicCertificateKey, .corsOrigins, .trustedProxies,
        .internalListen, .internalCertificate, .internalCertificateKey, .internalClientAuthority, .serviceKey,
        .formerServiceKey, .serviceUsers, .stage, .logLevel, .drainTime,
      ])
  }

  // MARK: Metrics

  private static func promtool(_ page: String, in folder: URL) throws -> (code: Int32, said: String) {
    let file = folder.appending(path: "metrics").path
    try Data(page.utf8).write(to: URL(filePath: file))
    let child = try Child(["sh", "-c", "exec promtool check metrics < \"$0\"", file], readsErrors: true)
    let said = child.rest()
    return (child.end(), said)
  }

  @Test(
    "promtool has nothing to say about the metrics",
    .enabled(if: Program.works("promtool", "--version"), "promtool is not installed"))
  func metrics() async throws {
    let service = try RunningService()
    let inside = try await service.addresses().inside
    let caller = try Caller()
    for path in ["health", "ready", "nowhere"] { _ = try await caller.get("http://\(inside)/\(path)") }
    let page = try await caller.get("http://\(inside)/metrics")
    let verdict = try Self.promtool(page.body, in: service.folder)
    #expect(verdict.code == 0 && verdict.said.isEmpty, "\(verdict.said)")
    // It does look.
    #expect(try Self.promtool("# TYPE a counter\na{ 1\n", in: service.folder).code != 0)
  }
}
