// Secrets among the settings: inline or from a file, by old names and new, and never told.

import FolderSupport
import Secrets
import Testing

@testable import ServiceRuntime

@Suite struct SecretSettingTests {
  private let database = SecretSetting(.databaseURL, required: true, length: 4...40, reason: "Test.")

  private func read(
    _ setting: SecretSetting, _ variables: [String: String]
  ) throws(SettingsProblems) -> SecretBytes? {
    try SettingsReader.build(from: Environment(variables), documented: [setting.documentation]) { $0.read(setting) }
  }

  private func value(_ setting: SecretSetting, _ variables: [String: String]) throws -> String? {
    guard let secret = try read(setting, variables) else { return nil }
    return String(decoding: secret.bytes.indices.map { secret.bytes[$0] }, as: UTF8.self)
  }

  private func problems(_ setting: SecretSetting, _ variables: [String: String]) -> [SettingProblem] {
    do throws(SettingsProblems) {
      _ = try read(setting, variables)?.count
      return []
    } catch {
      return error.problems
    }
  }

  @Test("Our own name wins over older ones, and these count in their order")
  func olderNames() throws {
    #expect(try value(database, ["DATABASE_URL": "third"]) == "third")
    #expect(try value(database, ["DATABASE_URL": "third", "SYNC_DATABASE_URL": "second"]) == "second")
    let all = ["DATABASE_URL": "third", "SYNC_DATABASE_URL": "second", "MANDATE_DATABASE_URL": "first"]
    #expect(try value(database, all) == "first")
    #expect(try value(database, ["DATABASE_URL": "third", "SYNC_DATABASE_URL": ""]) == "third")
  }

  @Test("A missing secret names every way to set it")
  func missing() throws {
    let sentence = try #require(problems(database, [:]).first).sentence
    #expect(
      sentence == "MANDATE_DATABASE_URL (or MANDATE_DATABASE_URL_FILE) is not set (the older SYNC_DATABASE_URL, "
        + "DATABASE_URL would do); it must be 4 to 40 bytes.")
    let optional = SecretSetting(.databaseURL, required: false, length: 1...40, reason: "Test.")
    #expect(try value(optional, [:]) == nil)
  }

  @Test("A secret of the wrong length is refused without a word about what it was", arguments: ["abc", "a\nb"])
  func wrongLength(secret: String) throws {
    let found = problems(database, ["MANDATE_DATABASE_URL": secret])
    #expect(found == [.secretNotAllowed("MANDATE_DATABASE_URL", allowed: "4 to 40 bytes")])
    #expect(!found.map(\.sentence).joined().contains(secret))
  }

  @Test("A secret comes from the file that NAME_FILE names, by an older name too", arguments: ["", "SYNC_"])
  func fromFile(prefix: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("url", "postgres:///db\n", mode: 0o600)
    let name = prefix.isEmpty ? "MANDATE_DATABASE_URL_FILE" : "SYNC_DATABASE_URL_FILE"
    #expect(try value(database, [name: path]) == "postgres:///db")
  }

  @Test("Value and file together are refused, whichever would be right")
  func both() {
    #expect(
      problems(database, ["SYNC_DATABASE_URL": "abcd", "SYNC_DATABASE_URL_FILE": "/nowhere"])
        == [.valueAndFile("SYNC_DATABASE_URL")])
  }

  @Test("A file that is no secret is refused by name, path and advice")
  func badFile() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("url", "postgres:///db", mode: 0o644)
    let sentence = try #require(problems(database, ["MANDATE_DATABASE_URL_FILE": path]).first).sentence
    #expect(sentence.hasPrefix("MANDATE_DATABASE_URL_FILE names `\(path)`, which can be used by others"))
    #expect(sentence.contains("chmod"))
  }

  @Test("PEM keeps its last newline, and only one newline goes from what drops it")
  func newlines() throws {
    let pem = SecretSetting(
      .resolverPrivateKey, required: true, length: 1...40, dropsTrailingNewline: false, reason: "Test.")
    #expect(try value(pem, ["MANA_AI_PRIVATE_KEY_PEM": "abcd\n"]) == "abcd\n")
    #expect(try value(database, ["DATABASE_URL": "abcd\n\n"]) == "abcd\n")
    #expect(try value(database, ["DATABASE_URL": "abcd\r\n"]) == "abcd")
    #expect(try value(database, ["DATABASE_URL": "\nabcd"]) == "\nabcd")
  }

  @Test("Secrets that nobody read are gone when the configuration is built")
  func unreadSecretsAreWiped() throws {
    let environment = Environment(["MANA_AI_PRIVATE_KEY_PEM": "abcd"])
    try SettingsReader.build(from: environment, documented: []) { _ in }
    guard case .secret(let slot) = environment.value(of: "MANA_AI_PRIVATE_KEY_PEM") else {
      Issue.record("it was not kept as a secret")
      return
    }
    #expect(slot.isEmpty)
  }

  @Test("A public document comes inline or from a file, and is refused where anybody could exchange it")
  func documents() throws {
    let setting = DocumentSetting(.resolverPublicKey, required: false, reason: "Test.")
    func read(_ variables: [String: String]) throws(SettingsProblems) -> [UInt8]? {
      let document = try SettingsReader.build(
        from: Environment(variables), documented: [setting.documentation]
      ) { $0.read(setting) }
      guard let document else { return nil }
      return document.bytes.indices.map { document.bytes[$0] }
    }
    let folder = try TemporaryFolder()
    #expect(try read([:]) == nil)
    #expect(try read(["MANA_AI_PUBLIC_KEY_PEM": "pem\n"]) == Array("pem\n".utf8))
    let good = try folder.write("good", "pem", mode: 0o644)
    #expect(try read(["MANA_AI_PUBLIC_KEY_PEM_FILE": good]) == Array("pem".utf8))
    let bad = try folder.write("bad", "pem", mode: 0o646)
    #expect(
      throws: SettingsProblems(problems: [
        .file("MANA_AI_PUBLIC_KEY_PEM_FILE", path: bad, .writableByOthers(mode: "0646"))
      ])
    ) { try read(["MANA_AI_PUBLIC_KEY_PEM_FILE": bad]) }
  }
}
