// The built commands on a database that a URL names: straight to the server, and through PgBouncer in transaction mode,
// which MANDATE_DATABASE_POOLER tells them of.

import FolderSupport
import Foundation
import Store
import StoreSupport
import Testing

@Suite(.serialized) struct DatabaseByURLTests {
  private static func environment(_ road: Road) -> [String: String] {
    road == .pooler ? ["MANDATE_DATABASE_POOLER": "transaction"] : [:]
  }

  private func run(_ words: [String], _ road: Road, in folder: TemporaryFolder, url: String? = nil) throws -> Outcome {
    var environment = Self.environment(road)
    environment["MANDATE_DATABASE_URL"] = url
    return try BuiltCommand.run(words, in: folder, environment: environment)
  }

  @Test("Every command does its work on another server, named by option or environment", arguments: Road.allCases)
  func everyCommand(road: Road) async throws {
    let folder = try TemporaryFolder()
    let database = try await PreparedDatabase.empty(road: road)
    let owner = try await database.url(StoreRole.owner.rawValue, road)
    let `operator` = try await database.url(StoreRole.operator.rawValue, road)
    let asked: [(url: String, words: [String])] = [
      (try await database.url("postgres", road), ["db", "bootstrap"]), (owner, ["db", "migrate"]),
      (owner, ["db", "verify"]), (`operator`, ["audit", "verify"]), (`operator`, ["audit", "show", "u"]),
      (`operator`, ["audit", "export"]), (`operator`, ["audit", "prune", "--before", "2026-01-01T00:00:00Z"]),
    ]
    for (url, words) in asked {
      for byOption in [true, false] {
        let outcome = try run(
          byOption ? words + ["--url", url] : words, road, in: folder, url: byOption ? nil : url)
        #expect(outcome.code == 0, "\(words): \(outcome.errors)")
      }
    }
  }

  @Test("What the pooler could not keep is refused, and so is a pooler that nobody knows")
  func refusedPooler() async throws {
    let folder = try TemporaryFolder()
    let url = try await PreparedDatabase.of("the roles").url(StoreRole.owner.rawValue, .pooler)
    let options = try run(["db", "verify", "--url", url + "&options=-cstatement_timeout%3D1"], .pooler, in: folder)
    #expect(options.code == 2 && options.errors.contains("pooler"))
    for mode in ["session", "statement", "Transaction", "pgbouncer"] {
      let outcome = try BuiltCommand.run(
        ["db", "verify", "--url", url], in: folder, environment: ["MANDATE_DATABASE_POOLER": mode])
      #expect(outcome.code == 2)
      #expect(outcome.errors.contains("MANDATE_DATABASE_POOLER is `\(mode)`; it must be one of `none`, `transaction`"))
    }
    let help = try BuiltCommand.run(["--help"], in: folder)
    #expect(help.output.contains(/MANDATE_DATABASE_POOLER +none +Say `transaction`/))
  }

  // MARK: import-vault

  @Test("The vault of a former system is imported once, as told in both forms", arguments: Road.allCases)
  func importVault(road: Road) async throws {
    let folder = try TemporaryFolder()
    let target = try await PreparedDatabase.make(before: FormerSystem.early, road: road)
    let source = try await PreparedDatabase.empty(before: FormerSystem.vault, road: road)
    let words = [
      "db", "import-vault", "--from", try await source.url("postgres", road), "--url",
      try await target.url(StoreRole.owner.rawValue, road),
    ]
    let first = try run(words + ["--json"], road, in: folder)
    #expect(first.code == 0, "\(first.errors)")
    #expect((first.json?["vaults"] as? [String: Int]) == ["found": 2_500, "added": 2_500])
    #expect(first.json?["enqueued"] as? Int == 3)
    let second = try run(words, road, in: folder)
    #expect(second.code == 0 && second.output.contains(/vaults +2500 +0\n/))
    #expect(second.output.hasSuffix("Enqueued 0 records to be sealed.\n"))
  }

  @Test("An import that can't be done whole is refused, says why, and leaves nothing", arguments: Road.allCases)
  func refusedImport(road: Road) async throws {
    let folder = try TemporaryFolder()
    let target = try await PreparedDatabase.make(road: road)
    let source = try await PreparedDatabase.empty(before: FormerSystem.vault, road: road)
    let noVault = try await PreparedDatabase.empty(road: road)
    let owner = StoreRole.owner.rawValue
    let (from, to) = (try await source.url("postgres", road), try await target.url(owner, road))
    let refusals: [(from: String?, to: String, code: Int32, words: String)] = [
      (nil, to, 2, "--from is missing"),
      ("mysql://a:hidden@b/c", to, 2, "--from"),
      ("postgres://a:hidden@/c?host=/nonexistent", to, 1, "/nonexistent"),
      (try await noVault.url("postgres", road), to, 1, "no table auth.encryption_vaults"),
      // Row security would hide rows from this one, and an import of some would look like one of all.
      (try await source.url(StoreRole.sync.rawValue, road), to, 1, "row-level security"),
      (from, try await target.url("postgres", road), 1, "needs mandate_owner"),
      (from, try await target.url(StoreRole.runner.rawValue, road), 1, "needs mandate_owner"),
      (from, try await noVault.url(owner, road), 1, "mandate db migrate"),
    ]
    for refusal in refusals {
      let option = refusal.from.map { ["--from", $0] } ?? []
      let outcome = try run(["db", "import-vault"] + option + ["--url", refusal.to], road, in: folder)
      #expect(outcome.code == refusal.code, "\(refusal.words): \(outcome.errors)")
      #expect(outcome.errors.contains(refusal.words), "\(outcome.errors)")
      #expect(!outcome.errors.contains("hidden") && outcome.output.isEmpty)
    }
    #expect(try await target.texts("SELECT count(*)::text FROM auth.encryption_vaults") == ["0"])
  }
}
