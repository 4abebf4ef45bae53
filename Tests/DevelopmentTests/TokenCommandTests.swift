// `mandate-dev token`: what it makes is believed by what services use, and looks like nothing else.

import Contracts
import Foundation
import Identity
import ServiceRuntime
import Testing

@testable import Development

/// A folder's place, and nothing there when the test is over.
final class Place: Sendable {
  let path = FileManager.default.temporaryDirectory.appending(path: "mandate-dev-\(UUID().uuidString)").path

  deinit {
    guard FileManager.default.fileExists(atPath: path) else { return }
    do { try FileManager.default.removeItem(atPath: path) } catch { print("left behind: \(path): \(error)") }
  }

  func mode(_ name: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path + "/" + name)[.posixPermissions] as? Int
  }

  /// What a service that reads the file beside the key says of a token.
  func user(_ token: String, at seconds: Int64, audience: String = "mana") async throws -> String? {
    let authority = TokenAuthority(
      IdentityConfiguration(issuers: ["http://localhost:3001"], audiences: [audience]),
      keys: try KeySetFile(path + "/" + SigningKey.documentFile),
      clock: .stopped(at: Moment(microseconds: seconds * 1_000_000)), refused: { _ in })
    do {
      return try await authority.principal(authorization: "Bearer " + token).user.text
    } catch {
      return nil
    }
  }
}

@Suite("mandate-dev token")
struct TokenCommandTests {
  private let now: Int64 = 1_800_000_000

  private func parse(_ arguments: String...) throws -> TokenCommand.Wish { try TokenCommand.parse(arguments) }

  @Test("A token is believed for as long as it says, by a service that reads the file beside the key")
  func believed() async throws {
    let place = Place()
    let wish = try parse("--user", "Ülrich", "--key", place.path, "--ttl", "60")
    let token = try TokenCommand.run(wish, now: Instant(milliseconds: now * 1000))
    #expect(try await place.user(token, at: now) == "Ülrich")
    #expect(try await place.user(token, at: now + 59) == "Ülrich")
    #expect(try await place.user(token, at: now + 60) == nil)
    #expect(try await place.user(token, at: now, audience: "other") == nil)
  }

  @Test("The key is made once, private to its owner and marked as throw-away")
  func made() async throws {
    let place = Place()
    let wish = try parse("--user", "u", "--key", place.path)
    let first = try TokenCommand.run(wish, now: Instant(milliseconds: now * 1000))
    let second = try TokenCommand.run(wish, now: Instant(milliseconds: now * 1000))
    #expect(first == second)
    #expect(try place.mode(SigningKey.keyFile) == 0o600)
    #expect(try place.mode(SigningKey.documentFile) == 0o644)
    #expect(try String(contentsOfFile: place.path + "/" + SigningKey.noteFile, encoding: .utf8).contains("thrown away"))
    let header = try #require(first.split(separator: ".").first)
    let bytes = Array(header.utf8)
    let decoded = Base64URL.decode(bytes.span) ?? []
    let text = String(decoding: decoded, as: UTF8.self)
    #expect(text.contains(#""kid":"throw-away-"#))
  }

  @Test("Another folder's key is not believed")
  func stranger() async throws {
    let (place, other) = (Place(), Place())
    let instant = Instant(milliseconds: now * 1000)
    _ = try TokenCommand.run(parse("--user", "u", "--key", place.path), now: instant)
    let token = try TokenCommand.run(parse("--user", "u", "--key", other.path), now: instant)
    #expect(try await place.user(token, at: now) == nil)
  }

  @Test("A key that others may read, or that is none, is refused")
  func badFiles() throws {
    let place = Place()
    let wish = try parse("--user", "u", "--key", place.path)
    let instant = Instant(milliseconds: now * 1000)
    _ = try TokenCommand.run(wish, now: instant)
    let file = place.path + "/" + SigningKey.keyFile
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
    #expect(throws: SigningKey.Problem.self) { try TokenCommand.run(wish, now: instant) }
    try Data("nonsense".utf8).write(to: URL(filePath: file))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
    #expect(throws: SigningKey.Problem.self) { try TokenCommand.run(wish, now: instant) }
    let nested = try parse("--user", "u", "--key", place.path + "/absent/deeper")
    #expect(throws: SigningKey.Problem.self) { try TokenCommand.run(nested, now: instant) }
  }

  @Test("A command line that is not understood is refused")
  func wrongUsage() throws {
    for arguments in [
      [], ["--user"], ["--user", ""], ["--user", "a", "--user", "b"], ["--user", "a", "--ttl", "0"],
      ["--user", "a", "--ttl", "86401"], ["--user", "a", "--ttl", "1.5"], ["--user", "a", "--other", "b"],
      ["--user", "a", "stray"], ["--user", "a\u{0}b"], ["--user", String(repeating: "x", count: 257)],
    ] {
      #expect(throws: TokenCommand.WrongUsage.self, "\(arguments)") { try TokenCommand.parse(arguments) }
    }
    let wish = try parse("--user", "a", "--issuer", "i", "--audience", "o", "--ttl", "86400")
    #expect(wish.issuer == "i" && wish.audience == "o" && wish.lifetimeSeconds == 86_400)
  }
}
