// `mandate db renew-passwords` on the built command: with everything there, with everything lost, after an interruption
// at each place where there can be one, and on a server that is not ours.

import FolderSupport
import Foundation
import PostgresSupport
import Store
import Testing

@Suite(.serialized) struct RenewPasswordsTests {
  private static let roles = StoreRole.allCases.map(\.rawValue)

  /// A private cluster that is ready to use.
  private func ready() throws -> PrivateClusterFolder {
    let place = try PrivateClusterFolder()
    for command in ["start", "bootstrap", "migrate"] { #expect(try place.run(command).code == 0) }
    return place
  }

  private func file(_ place: PrivateClusterFolder, _ role: String, _ ending: String = "") -> String {
    place.folder.path(".mandate/passwords/\(role).pgpass\(ending)")
  }

  private func contents(_ place: PrivateClusterFolder) throws -> [String: String] {
    var contents: [String: String] = [:]
    for role in Self.roles + ["postgres"] {
      contents[role] = try String(contentsOfFile: file(place, role), encoding: .utf8)
    }
    return contents
  }

  /// Whether the password in a text is let in, for a role of a folder's cluster.
  private func isLetIn(_ place: PrivateClusterFolder, _ role: String, _ text: String) throws -> Bool {
    let passwords = try place.folder.write("try.pgpass", text, mode: 0o600)
    let sockets = try place.status("socketFolder")
    let url = "postgres://\(role)@/mandate?host=\(sockets)&port=5432&passfile=\(passwords)"
    return try BuiltCommand.other("psql", ["-X", "-q", "-c", "SELECT 1", url], in: place.folder).code == 0
  }

  private func expectWhole(_ place: PrivateClusterFolder) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: place.folder.path(".mandate/passwords")).sorted()
    #expect(names == (Self.roles + ["postgres"]).map { $0 + ".pgpass" }.sorted())
    for (role, text) in try contents(place) {
      #expect(try isLetIn(place, role, text), "\(role)")
      let mode = try FileManager.default.attributesOfItem(atPath: file(place, role))[.posixPermissions] as? Int
      #expect(mode == 0o600, "\(role)")
    }
    #expect(try place.run("verify").code == 0)
  }

  @Test("Every role gets a new password, and the former ones are let in no more")
  func all() throws {
    let place = try ready()
    let before = try contents(place)
    let renewed = try place.run("renew-passwords", "--json")
    #expect(renewed.code == 0, "\(renewed.errors)")
    #expect((renewed.json?["roles"] as? [[String: String]])?.count == 7)
    try expectWhole(place)
    for (role, text) in before {
      #expect(try contents(place)[role] != text)
      #expect(try !isLetIn(place, role, text), "\(role)")
    }
    let said = renewed.output + renewed.errors + (try String(contentsOfFile: place.status("log"), encoding: .utf8))
    for (_, text) in try contents(place) {
      let password = try #require(text.split(separator: ":").last).trimmingCharacters(in: .newlines)
      #expect(password.count == 64 && !said.contains(password))
    }
  }

  @Test("One role alone can be renewed, and a role that nobody knows is refused")
  func one() throws {
    let place = try ready()
    let before = try contents(place)
    let renewed = try place.run("renew-passwords", "--role", "mandate_runner")
    #expect(renewed.code == 0 && renewed.output.contains("mandate_runner.pgpass"), "\(renewed.errors)")
    let after = try contents(place)
    #expect(after.filter { before[$0.key] != $0.value }.map(\.key) == ["mandate_runner"])
    try expectWhole(place)
    #expect(try place.run("renew-passwords", "--role", "mandate_gate").code == 2)
  }

  @Test("Where every password was lost, the superuser's too, one call brings all of them back")
  func lost() throws {
    let place = try ready()
    try FileManager.default.removeItem(atPath: place.folder.path(".mandate/passwords"))
    let verify = try place.run("verify")
    #expect(verify.code == 1 && verify.errors.contains("mandate db renew-passwords"))
    let renewed = try place.run("renew-passwords")
    #expect(renewed.code == 0, "\(renewed.errors)")
    try expectWhole(place)
    // It also works on a cluster that does not run, and leaves no order behind.
    #expect(try place.run("stop").code == 0)
    try FileManager.default.removeItem(atPath: file(place, "postgres"))
    #expect(try place.run("renew-passwords", "--role", "postgres").code == 0)
    try expectWhole(place)
    let home = URL(filePath: try place.status("data")).deletingLastPathComponent().path
    #expect(try FileManager.default.contentsOfDirectory(atPath: home).allSatisfy { !$0.hasSuffix(".unfinished") })
  }

  @Test(
    "An interrupted renewal is repaired by the next one, wherever it stopped", arguments: ["mandate_owner", "postgres"])
  func interrupted(role: String) throws {
    let place = try ready()
    let (current, next) = (file(place, role), file(place, role, ".next"))
    let first = try #require(try contents(place)[role])
    #expect(try place.run("renew-passwords", "--role", role).code == 0)
    let second = try #require(try contents(place)[role])

    // The server was told, and the file is not in its place yet.
    try FileManager.default.moveItem(atPath: current, toPath: next)
    try place.folder.write(".mandate/passwords/\(role).pgpass", first, mode: 0o600)
    let stuck = try place.run(role == "postgres" ? "bootstrap" : "verify")
    #expect(stuck.code == 1 && stuck.errors.contains("mandate db renew-passwords"), "\(stuck.errors)")
    #expect(try place.run("renew-passwords", "--role", role).code == 0)
    try expectWhole(place)
    let third = try #require(try contents(place)[role])
    #expect(role == "postgres" || third == second, "what the server knew was used")

    // The next file is there, and the server was not told.
    let fourth = try BuiltCommand.other("sed", ["s/[0-9a-f]$/e/", current], in: place.folder).output
    try place.folder.write(".mandate/passwords/\(role).pgpass.next", fourth, mode: 0o600)
    #expect(try place.run("renew-passwords", "--role", role).code == 0)
    try expectWhole(place)
    #expect(try contents(place)[role] == fourth)

    // A file that was being written when the machine stopped.
    try place.folder.write(".mandate/passwords/\(role).pgpass.next.unfinished", "half", mode: 0o600)
    #expect(try place.run("renew-passwords", "--role", role).code == 0)
    try expectWhole(place)
  }

  @Test("On another server the roles are renewed by a login that may, whose own password stays where it is")
  func byURL() async throws {
    var options = TemporaryCluster.Options()
    options.access = ["local all \(Self.roles.joined(separator: ",")) scram-sha-256"]
    let cluster = try await TemporaryCluster.start(options)
    let place = try PrivateClusterFolder()
    let database = try await cluster.makeDatabase()
    let admin = cluster.url(database: database)
    let early = try place.run("renew-passwords", "--url", admin)
    #expect(early.code == 1 && early.errors.contains("mandate db bootstrap"))
    #expect(try place.run("bootstrap", "--url", admin).code == 0)
    func migrate(_ passwords: String) throws -> Int32 {
      try place.run(
        "migrate", "--url", cluster.url(database: database, user: "mandate_owner") + "&passfile=\(passwords)"
      ).code
    }
    #expect(try migrate(file(place, "mandate_owner")) == 0)
    let old = try place.folder.write(
      "old", try String(contentsOfFile: file(place, "mandate_owner"), encoding: .utf8), mode: 0o600)
    #expect(try place.run("renew-passwords", "--url", admin).code == 0)
    #expect(try migrate(old) == 1)
    #expect(try migrate(file(place, "mandate_owner")) == 0)
    #expect(try place.run("renew-passwords", "--role", "postgres", "--url", admin).code == 1)
    // A role of ours may not renew the others'.
    let runner = cluster.url(database: database, user: "mandate_runner") + "&passfile=\(file(place, "mandate_runner"))"
    let refused = try place.run("renew-passwords", "--role", "mandate_owner", "--url", runner)
    #expect(refused.code == 1)
    #expect(try migrate(file(place, "mandate_owner")) == 0)
    try await cluster.end()
  }
}
