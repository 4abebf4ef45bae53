// What every service does, seen from outside: it starts, answers for itself, is watched, reloaded and stopped.

import Foundation
import Glibc
import ServiceRuntime
import Testing

@Suite struct ServiceProcessTests {
  @Test("A service says what it is, whether it is ready and how it does, on the internal listener only")
  func standard() async throws {
    let service = try RunningService()
    let (forUsers, inside) = try await service.addresses()
    let caller = try Caller()
    let health = try await caller.get("http://\(inside)/health")
    #expect(health.status == 200)
    #expect(health.body == #"{"ok":true,"service":"mandate-example","version":"\#(ProductVersion.current)"}"#)
    let ready = try await caller.get("http://\(inside)/ready")
    #expect(ready.status == 200 && ready.body == #"{"ready":true,"draining":false,"checks":{"keys":"ok"}}"#)
    let metrics = try await caller.get("http://\(inside)/metrics")
    #expect(metrics.status == 200)
    for name in [
      "process_cpu_seconds_total", "mandate_http_requests_total", "mandate_ready", "mandate_example_told_total",
    ] {
      #expect(metrics.body.contains("# TYPE \(name) "))
    }
    let request = #"mandate_http_requests_total{service="mandate-example",listener="internal",method="GET","#
    #expect(metrics.body.contains(request + #"route="/health",status="200"} 1"#))
    for path in ["/health", "/ready", "/metrics", "/internal/tell"] {
      let answer = try await caller.get("http://\(forUsers)\(path)")
      #expect(answer.status == 404)
    }
    service.signal(SIGTERM)
    #expect(try await service.end() == 0)
  }

  @Test("A message reaches who waits for it, and only a caller with the key may send one")
  func work() async throws {
    let service = try RunningService()
    let (forUsers, inside) = try await service.addresses()
    let caller = try Caller()
    let heard = Task { try await caller.get("http://\(forUsers)/api/v1/next") }
    for headers in [[], [("X-Service-Key", "wrong")], [("X-Service-Key", RunningService.key + "x")]] {
      let refused = try await caller.post("http://\(inside)/internal/tell", "no", headers: headers)
      #expect(refused.status == 401 && !refused.body.contains("wrong"))
    }
    // Whether the other one waits already nobody can see from here, so it is told until it has heard.
    let telling = Task {
      while !Task.isCancelled {
        let told = try await caller.post(
          "http://\(inside)/internal/tell", "yes", headers: [("X-Service-Key", RunningService.key)])
        #expect(told.status == 204)
      }
    }
    let answer = try await heard.value
    telling.cancel()
    #expect(answer.status == 200 && answer.body == "yes")
    // The request's line in the log has its id and its route, and nothing of what was said.
    _ = await telling.result
    service.signal(SIGTERM)
    #expect(try await service.end() == 0)
    let lines = service.said.filter { $0.event == "A request was answered." }
    let line = try #require(lines.first { $0.texts["requestId"] == answer.requestID })
    #expect(line.texts["route"] == "/api/v1/next" && line.status == 200)
    #expect(!service.said.contains { $0.text.contains("yes") || $0.text.contains(RunningService.key) })
  }

  @Test("Readiness falls when a check breaks and comes back when it holds, and both are logged")
  func readiness() async throws {
    let service = try RunningService()
    let (_, inside) = try await service.addresses()
    let caller = try Caller()
    try service.removeFile()
    let broken = try await service.line("A check is broken; this service is not ready.")
    #expect(broken.texts["reason"] == "keys" && broken.texts["detail"] == "the file cannot be read")
    let not = try await caller.get("http://\(inside)/ready")
    #expect(not.status == 503 && not.body.contains(#""keys":"the file cannot be read""#))
    // It lives all the same.
    #expect(try await caller.get("http://\(inside)/health").status == 200)
    try service.writeFile()
    try await service.line("A check is kept again.")
    #expect(try await caller.get("http://\(inside)/ready").status == 200)
  }

  @Test("A check that is broken at the start stops it, and says which")
  func brokenStart() async throws {
    let service = try RunningService(["MANDATE_EXAMPLE_FILE": "/nonexistent/file"])
    #expect(try await service.end() == 1)
    let line = try #require(service.said.first { $0.event.hasPrefix("The service cannot start") })
    #expect(line.texts["reason"] == "keys")
    #expect(!service.said.contains { $0.event == "Listening." })
  }

  @Test("SIGHUP reloads what it can, says what it can't, and goes on either way")
  func reload() async throws {
    let service = try RunningService()
    let (_, inside) = try await service.addresses()
    service.signal(SIGHUP)
    try await service.line("Reloaded.")
    try service.removeFile()
    service.signal(SIGHUP)
    try await service.line("Could not be reloaded; what was there stays.")
    let health = try await Caller().get("http://\(inside)/health")
    #expect(health.status == 200)
  }

  @Test("A reload that hangs holds up neither requests nor the first SIGTERM", arguments: [SIGTERM, SIGINT])
  func hangingReload(signal: Int32) async throws {
    let service = try RunningService()
    let (_, inside) = try await service.addresses()
    try service.writeFile("stuck")
    service.signal(SIGHUP)
    try await service.line("Reading for ever.")
    // More wishes to reload change nothing.
    for _ in 0..<3 { service.signal(SIGHUP) }
    #expect(try await Caller().get("http://\(inside)/health").status == 200)
    service.signal(signal)
    #expect(try await service.end() == 0)
    #expect(!service.said.contains { $0.event == "Reloaded." })
    #expect(service.said.last?.event == "Ended.")
  }

  @Test("SIGTERM lets what is under way finish, and takes nothing new", arguments: [SIGTERM, SIGINT])
  func drain(signal: Int32) async throws {
    let service = try RunningService(["MANDATE_DRAIN_MS": "600000"])
    let (forUsers, inside) = try await service.addresses()
    let (caller, teller) = (try Caller(), try Caller())
    let waiting = Task { try await caller.get("http://\(forUsers)/api/v1/next") }
    // The connections of the internal listener are counted; so are those of the public one.
    let open = #"mandate_http_connections{service="mandate-example",listener="public"} 1"#
    while !(try await teller.get("http://\(inside)/metrics").body.contains(open)) {}
    service.signal(signal)
    try await service.line("Asked to stop; draining.")
    // A second order does not wait for the request that nobody will answer now.
    service.signal(signal)
    #expect(try await service.end() == 128 + signal)
    await #expect(throws: (any Error).self) { try await waiting.value }
  }

  @Test("A request that outlives the drain is cut off, and the service ends as it was asked to")
  func drainEnds() async throws {
    let service = try RunningService(["MANDATE_DRAIN_MS": "1"])
    let (forUsers, inside) = try await service.addresses()
    let (caller, teller) = (try Caller(), try Caller())
    let waiting = Task { try await caller.get("http://\(forUsers)/api/v1/next") }
    let open = #"mandate_http_connections{service="mandate-example",listener="public"} 1"#
    while !(try await teller.get("http://\(inside)/metrics").body.contains(open)) {}
    service.signal(SIGTERM)
    #expect(try await service.end() == 0)
    await #expect(throws: (any Error).self) { try await waiting.value }
  }

  // MARK: Settings

  @Test(
    "What cannot be is refused before anything is tried, with the name of the setting",
    arguments: [
      ["MANDATE_PUBLIC_LISTEN": "localhost:1"], ["MANDATE_INTERNAL_LISTEN": "0.0.0.0:0"],
      ["MANDATE_PUBLIC_TLS_CERTIFICATE": "/a"], ["MANDATE_INTERNAL_TLS_CLIENT_CA": "/a"],
      ["MANDATE_TRUSTED_PROXIES": "10.0.0.1/8"], ["MANDATE_CORS_ORIGINS": "https://a.example/"],
      ["MANDATE_SERVICE_UIDS": "root"], ["MANDATE_DRAIN_MS": "10s"], ["MANDATE_LOG_LEVEL": "loud"],
      ["MANA_SERVICE_KEY": "dev-service-key"], ["MANA_SERVICE_KEY": "abcdefghijklmno"],
      ["MANDATE_FORMER_SERVICE_KEY": "aaaaaaaaaaaaaaaaaaaaaaaa"], ["MANDATE_PUBLIK_LISTEN": "127.0.0.1:0"],
      ["MANDATE_PUBLIC_LISTEN": "127.0.0.1:3999", "MANDATE_INTERNAL_LISTEN": "127.0.0.1:3999"],
    ])
  func wrongSettings(environment: [String: String]) async throws {
    let service = try RunningService(environment)
    #expect(try await service.end() == 2)
    let said = service.said.map(\.text).joined(separator: "\n")
    for name in environment.keys { #expect(said.contains(name)) }
    #expect(!said.contains("dev-service-key") && !said.contains("abcdefghijklmno") && !said.contains("aaaaaaaa"))
    #expect(!said.contains("Listening."))
  }

  @Test("A key that was pasted where its path belongs is refused and not shown", arguments: [["--check-config"], []])
  func pastedKey(arguments: [String]) async throws {
    let service = try RunningService(
      [
        "MANDATE_INTERNAL_TLS_CERTIFICATE": "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHNlY3JldA\n",
        "MANDATE_INTERNAL_TLS_KEY": "/nonexistent",
      ], arguments: arguments)
    #expect(try await service.end() == (arguments.isEmpty ? 1 : 2))
    let said = service.said.map(\.text).joined(separator: "\n")
    #expect(said.contains("is no certificate") || said.contains("<redacted>"))
    #expect(!said.contains("MC4CAQ"))
  }

  @Test("An address that is taken stops the start with an advice")
  func taken() async throws {
    let first = try RunningService()
    let (_, inside) = try await first.addresses()
    let second = try RunningService(["MANDATE_INTERNAL_LISTEN": inside])
    #expect(try await second.end() == 1)
    let line = try #require(second.said.first { $0.event == "The service cannot listen." })
    #expect(line.texts["detail"]?.contains(inside) == true)
  }

  @Test("Development accepts the key that everybody knows")
  func development() async throws {
    let service = try RunningService(["MANA_SERVICE_KEY": "dev-service-key", "MANDATE_STAGE": "development"])
    let (_, inside) = try await service.addresses()
    let told = try await Caller().post(
      "http://\(inside)/internal/tell", "x", headers: [("X-Service-Key", "dev-service-key")])
    #expect(told.status == 204)
  }

  @Test("The former key is accepted while callers change over")
  func formerKey() async throws {
    let former = "vN4kPz7sQw2eRt9yUi3oAd6fGh1jKl8m"
    let service = try RunningService(["MANDATE_FORMER_SERVICE_KEY": former])
    let (_, inside) = try await service.addresses()
    for key in [RunningService.key, former] {
      let told = try await Caller().post("http://\(inside)/internal/tell", "x", headers: [("X-Service-Key", key)])
      #expect(told.status == 204)
    }
  }
}
