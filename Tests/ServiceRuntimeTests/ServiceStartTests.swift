// A service's command line, its signals, where it listens, and the secrets it refuses in production.

import Glibc
import Secrets
import Testing

@testable import ServiceRuntime

@Suite struct ServiceStartTests {
  private let line = ServiceCommandLine(
    program: "mandate-test", purpose: "Does nothing.", settings: [Log.levelSetting.documentation])

  @Test("Nothing means run; the options are the ones that the help names")
  func options() {
    #expect(line.parse([]) == .run)
    #expect(line.parse(["--check-config"]) == .checkConfiguration)
    #expect(line.parse(["--version"]) == .show("mandate-test \(ProductVersion.current)\n"))
    guard case .show(let help) = line.parse(["--help"]) else {
      Issue.record("no help")
      return
    }
    for word in ["mandate-test", "Does nothing.", "--check-config", "--version", "MANDATE_LOG_LEVEL", "SIGHUP"] {
      #expect(help.contains(word))
    }
    #expect(help.split(separator: "\n").allSatisfy { $0.count <= 100 })
    #expect(line.parse(["--check-config", "-h"]) == .show(help))
  }

  @Test(
    "What is not an option is refused, and nothing is run",
    arguments: [["-v"], ["start"], ["--check-config", "x"], [""]])
  func unknown(arguments: [String]) {
    guard case .refuse(let sentence) = line.parse(arguments) else {
      Issue.record("\(arguments) was taken")
      return
    }
    #expect(sentence.contains("--help"))
  }

  @Test("SIGTERM and SIGINT ask to stop, SIGHUP to read again, in the order in which they come")
  func signals() async {
    await #expect(processExitsWith: .exitCode(0)) {
      let signals = try ServiceSignals.take()
      var requests = signals.requests.makeAsyncIterator()
      kill(getpid(), SIGHUP)
      try #require(await requests.next() == .reload)
      kill(getpid(), SIGHUP)
      try #require(await requests.next() == .reload)
      kill(getpid(), SIGTERM)
      try #require(await requests.next() == .stop)
    }
  }

  @Test("However many reloads nobody has read yet, the request to stop is not lost behind them")
  func stormOfReloads() async {
    await #expect(processExitsWith: .exitCode(0)) {
      let signals = try ServiceSignals.take()
      // Far more than any queue: a service that is being built, or is reading its files, reads none of them.
      for _ in 0..<200 {
        kill(getpid(), SIGHUP)
        sched_yield()
      }
      kill(getpid(), SIGTERM)
      var requests = signals.requests.makeAsyncIterator()
      while try #require(await requests.next()) != .stop {}
    }
  }

  @Test("Who asks a second time to stop does not wait for the drain")
  func impatient() async {
    await #expect(processExitsWith: .exitCode(128 + SIGINT)) {
      let signals = try ServiceSignals.take()
      var requests = signals.requests.makeAsyncIterator()
      kill(getpid(), SIGTERM)
      try #require(await requests.next() == .stop)
      kill(getpid(), SIGINT)
      // Its own end of the pipe stays open, so nothing but the signal ends this.
      _ = await requests.next()
    }
  }

  @Test(
    "Addresses are taken as they are written",
    arguments: [
      ("127.0.0.1:3001", ListenAddress.tcp(host: "127.0.0.1", port: 3001)),
      ("0.0.0.0:0", .tcp(host: "0.0.0.0", port: 0)),
      ("[::1]:65535", .tcp(host: "::1", port: 65_535)), ("unix:/run/a.sock", .unix(path: "/run/a.sock")),
    ])
  func addresses(text: String, address: ListenAddress) {
    #expect(ListenAddress(text) == address)
    #expect(address.text == text)
  }

  @Test(
    "Names, missing ports, other spellings of numbers and long paths are no addresses",
    arguments: [
      "", ":", "127.0.0.1", "localhost:80", "127.0.0.1:", "127.0.0.1:+1", "127.0.0.1:080", "127.0.0.1:65536",
      "127.0.0.1:-1", "127.1:80", "::1:80", "[::1]", "[127.0.0.1]:80", "[::1:80", "unix:", "unix:a.sock",
      "unix:/" + String(repeating: "a", count: 107), "unix:/a\0b",
    ])
  func notAddresses(text: String) { #expect(ListenAddress(text) == nil) }

  @Test("Only this machine's own addresses count as local")
  func local() throws {
    for text in ["127.0.0.1:1", "127.8.9.1:1", "[::1]:1", "unix:/a"] { #expect(ListenAddress(text)?.isLocal == true) }
    for text in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:127.0.0.1]:1"] {
      #expect(ListenAddress(text)?.isLocal == false)
    }
  }

  // MARK: Development secrets

  private static let known = [
    "dev-service-key", "my-dev-key-000", String(repeating: "A", count: 44), "abababababababab", "changeme-1234567890",
    "x THROW-AWAY key, for tests only", "please do not use this example key",
  ]
  private static let strong = "gQ3mZr8vXc1LpT6wYk9uBf2sHn5jEa7d"

  private func read(_ secret: String, _ variables: [String: String]) throws(SettingsProblems) {
    let setting = SecretSetting(.databaseURL, required: true, length: 1...4_096, reason: "x")
    try SettingsReader.build(
      from: Environment(["MANDATE_DATABASE_URL": secret].merging(variables) { $1 }),
      documented: [DeploymentStage.setting.documentation, setting.documentation]
    ) { reader in
      let stage = reader.read(DeploymentStage.setting)
      let secret = reader.readRequired(setting)
      reader.refuseDevelopmentSecret(secret, .databaseURL, in: stage)
    }
  }

  @Test("Production refuses a secret that everybody knows, and never shows it", arguments: known)
  func production(secret: String) {
    for variables in [[:], ["MANDATE_STAGE": "production"], ["NODE_ENV": "production"]] {
      let problems = #expect(throws: SettingsProblems.self) { try read(secret, variables) }
      #expect(problems?.text.contains("MANDATE_STAGE") == true && problems?.text.contains(secret) == false)
    }
  }

  @Test("A developer's desk takes it, and production takes what a generator made", arguments: known)
  func development(secret: String) throws {
    try read(secret, ["MANDATE_STAGE": "development"])
    try read(secret, ["NODE_ENV": "test"])
    try read(Self.strong, [:])
  }

  @Test("A stage that does not exist is refused")
  func wrongStage() {
    let problems = #expect(throws: SettingsProblems.self) { try read(Self.strong, ["MANDATE_STAGE": "staging"]) }
    #expect(problems?.text.contains("`production`") == true)
  }
}
