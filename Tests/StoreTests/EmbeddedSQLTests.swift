// What is embedded is what lies in the folders: a file that nobody runs would be a promise that nobody keeps.

import Foundation
import Store
import Testing

@Suite struct EmbeddedSQLTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Sources/Store/Migrations")

  @Test("Every migration in the folder is embedded, under its own name and with its own text")
  func migrations() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { $0.hasPrefix("m") }
    #expect(files.sorted() == Migration.all.map { $0.name + ".sql" })
    for migration in Migration.all {
      let text = try String(contentsOf: Self.folder.appending(path: migration.name + ".sql"), encoding: .utf8)
      #expect(text == migration.sql, "\(migration.name)")
    }
  }

  @Test("Migrations are numbered from one without a gap")
  func numbers() {
    #expect(Migration.all.map(\.number) == Array(1...Migration.latest))
    #expect(!Migration.all.isEmpty)
  }

  @Test("The password of a role reaches the server as its verifier alone")
  func bootstrapHoldsNoPassword() throws {
    let bootstrap = Self.folder.deletingLastPathComponent().appending(path: "Bootstrap")
    let files = try FileManager.default.contentsOfDirectory(atPath: bootstrap.path)
    #expect(files.count >= 3)
    for file in files {
      let text = try String(contentsOf: bootstrap.appending(path: file), encoding: .utf8)
      #expect(!text.contains("PASSWORD "), "\(file)")
    }
  }
}
