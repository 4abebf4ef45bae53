// Settings: what each kind takes, what it refuses, and that every problem is told in one go without telling a secret.

import Secrets
import Testing

@testable import ServiceRuntime

@Suite struct SettingsTests {
  /// Reads one setting of any kind, borrowed from a variable that takes short texts.
  private func read<Value>(_ setting: Setting<Value>, _ value: String?) throws(SettingsProblems) -> Value {
    let environment = Environment(value.map { [setting.variable.rawValue: $0] } ?? [:])
    return try SettingsReader.build(from: environment, documented: [setting.documentation]) { $0.read(setting) }
  }

  private func accepts<Value: Equatable>(_ setting: Setting<Value>, _ value: String?, as wanted: Value) -> Bool {
    do { return try read(setting, value) == wanted } catch { return false }
  }

  /// The only problem there is, as its sentence.
  private func problem<Value>(_ setting: Setting<Value>, _ value: String?) -> String? {
    do {
      _ = try read(setting, value)
      return nil
    } catch {
      return error.problems.count == 1 ? error.text : nil
    }
  }

  private let number = Setting<Int>.integer(.vectors, .value(5), in: -3...10, unit: "rows", reason: "Test.")

  @Test("A whole number inside its limits is taken", arguments: [("-3", -3), ("0", 0), ("10", 10)])
  func integers(text: String, value: Int) { #expect(accepts(number, text, as: value)) }

  @Test(
    "What is not a whole number inside its limits is refused and shown",
    arguments: ["-4", "11", "1.0", "+5", "007", " 5", "5 ", "1e1", "０", "99999999999999999999", "-0", "0x5"])
  func integersRefused(text: String) {
    #expect(problem(number, text) == "MANDATE_VECTORS is `\(text)`; it must be a whole number from -3 to 10.")
  }

  @Test("The default stands where nothing, or nothing but an empty text, is set", arguments: [nil, ""])
  func defaults(text: String?) { #expect(accepts(number, text, as: 5)) }

  @Test("A setting without a default must be set", arguments: [nil, ""])
  func required(text: String?) {
    let setting = Setting<String>.text(.vectors, .required, length: 2...3, reason: "Test.")
    #expect(problem(setting, text) == "MANDATE_VECTORS is not set; it must be a text of 2 to 3 bytes.")
    #expect(accepts(setting, "ab", as: "ab"))
    #expect(problem(setting, "a") != nil)
    #expect(problem(setting, "aäb") != nil)
  }

  @Test("An optional setting is nil where nothing is set, and as strict where something is")
  func optional() {
    #expect(accepts(number.optional, nil, as: nil))
    #expect(accepts(number.optional, "7", as: 7))
    #expect(problem(number.optional, "11") != nil)
  }

  @Test("A duration is set in milliseconds")
  func durations() {
    let setting = Setting<Duration>.milliseconds(.vectors, .value(.seconds(60)), in: 1...90_000, reason: "Test.")
    #expect(accepts(setting, "1500", as: .milliseconds(1500)))
    #expect(problem(setting, "0") != nil)
    #expect(problem(setting, "60s") != nil)
    #expect(setting.documentation.fallback == "60000")
    #expect(setting.documentation.unit == "ms")
  }

  @Test(
    "A switch knows four words",
    arguments: [("true", true), ("1", true), ("false", false), ("0", false)])
  func booleans(text: String, value: Bool) {
    #expect(accepts(Setting<Bool>.boolean(.vectors, .value(!value), reason: "Test."), text, as: value))
  }

  @Test("A switch takes no other word", arguments: ["True", "yes", "on", "2", "true ", "00"])
  func booleansRefused(text: String) {
    #expect(problem(Setting<Bool>.boolean(.vectors, .value(false), reason: "Test."), text) != nil)
  }

  private enum Mode: String, CaseIterable, Sendable { case off, logOnly = "log-only" }

  @Test("A choice takes its own words, in any case only where that is said")
  func choices() {
    let exact = Setting<Mode>.oneOf(.vectors, .value(.off), reason: "Test.")
    #expect(accepts(exact, "log-only", as: .logOnly))
    #expect(problem(exact, "LOG-ONLY") == "MANDATE_VECTORS is `LOG-ONLY`; it must be one of `off`, `log-only`.")
    let lenient = Setting<Mode>.oneOf(.vectors, .value(.off), ignoringCase: true, reason: "Test.")
    #expect(accepts(lenient, "LOG-Only", as: .logOnly))
    #expect(problem(lenient, "enforce") != nil)
  }

  @Test("A path is any short text")
  func paths() {
    let setting = Setting<String>.path(.vectors, .required, reason: "Test.")
    #expect(accepts(setting, "../a b", as: "../a b"))
    #expect(problem(setting, String(repeating: "x", count: 4096)) != nil)
  }

  private let address = Setting<ServiceURL>.url(.vectors, .required, schemes: ["http", "https"], reason: "Test.")

  @Test("A URL says where its service is")
  func urls() throws {
    let url = try read(address, "https://llm.example:8443/base")
    #expect((url.scheme, url.host, url.port, url.path) == ("https", "llm.example", 8443, "/base"))
    #expect(url.text == "https://llm.example:8443/base")
    #expect(try read(address, "http://[::1]:80").port == 80)
  }

  @Test(
    "What is not such a URL is refused",
    arguments: [
      "llm.example", "//llm.example", "ftp://llm.example", "http://", "http:///x", "http://h:0", "http://h:65536",
      "http://user@h", "http://h/#part", "http://h h", "http://h/\u{e4}", "HTTP", "http://h:port",
      "http://" + String(repeating: "x", count: 2048),
    ])
  func urlsRefused(text: String) { #expect(problem(address, text) != nil) }

  @Test("A password in a URL that must not have one is not repeated in the error")
  func urlPassword() throws {
    let sentence = try #require(problem(address, "http://user:hunter2@h"))
    #expect(!sentence.contains("hunter2"))
    #expect(sentence.contains("<redacted>"))
  }

  @Test("Every problem is told, not only the first")
  func allProblems() {
    let level = Log.levelSetting
    let environment = Environment([
      "MANDATE_VECTORS": "x", "MANDATE_LOG_LEVEL": "loud", "MANDATE_LOGLEVEL": "info", "MANDATE_DATABASE_URL": "a",
      "MANDATE_DATABASE_URL_FILE": "/b",
    ])
    let database = SecretSetting(.databaseURL, required: true, length: 1...100, reason: "Test.")
    do throws(SettingsProblems) {
      _ = try SettingsReader.build(
        from: environment, documented: [number.documentation, level.documentation, database.documentation]
      ) { reader in
        let number = reader.read(number)
        _ = reader.read(level)
        let secret = reader.readRequired(database)
        return number + secret.count
      }
      Issue.record("it was accepted")
    } catch {
      #expect(
        error.problems == [
          .unknownName("MANDATE_LOGLEVEL", nearest: "MANDATE_LOG_LEVEL"),
          .notAllowed("MANDATE_VECTORS", found: "x", allowed: "a whole number from -3 to 10"),
          .notAllowed(
            "MANDATE_LOG_LEVEL", found: "loud", allowed: "one of `debug`, `info`, `warning`, `error`"),
          .valueAndFile("MANDATE_DATABASE_URL"),
        ])
      #expect(error.text.split(separator: "\n").count == 4)
      #expect(error.text.hasPrefix("MANDATE_LOGLEVEL is not a setting: did you mean MANDATE_LOG_LEVEL?"))
    }
  }

  @Test("A rule between settings is judged only where both could be read")
  func relations() throws {
    func build(_ low: String, holds: Bool) throws(SettingsProblems) {
      try SettingsReader.build(
        from: Environment(["MANDATE_VECTORS": low]), documented: [number.documentation]
      ) { reader in
        _ = reader.read(number)
        reader.require(holds, of: [.vectors, .logLevel], "the first must be below the second.")
      }
    }
    try build("1", holds: true)
    #expect(
      throws: SettingsProblems(problems: [
        .relation(["MANDATE_VECTORS", "MANDATE_LOG_LEVEL"], "the first must be below the second.")
      ])
    ) { try build("1", holds: false) }
    #expect(
      throws: SettingsProblems(problems: [
        .notAllowed("MANDATE_VECTORS", found: "99", allowed: "a whole number from -3 to 10")
      ])
    ) { try build("99", holds: false) }
  }

  @Test("A setting that help does not know cannot be read")
  func undocumented() async {
    await #expect(processExitsWith: .failure) {
      let level = Log.levelSetting
      _ = try SettingsReader.build(from: Environment([:]), documented: []) { $0.read(level) }
    }
  }

  @Test("A setting that help knows cannot be forgotten")
  func unread() async {
    await #expect(processExitsWith: .failure) {
      let level = Log.levelSetting
      try SettingsReader.build(from: Environment([:]), documented: [level.documentation]) { _ in }
    }
  }
}
