// The SQL that is part of the binary. A file that is added to a folder must be named here or in `Migrations`; a test
// compares both with the folders.

enum SQLText {
  static let ledger = text(PackageResources.ledger_sql)
  static let houseProof = text(PackageResources.house_proof_sql)
  static let state = text(PackageResources.state_sql)
  static let expectedState = text(PackageResources.expected_state_txt)
  static let bootstrap = [text(PackageResources.b0001_roles_sql), text(PackageResources.b0002_ownership_sql)]
  static let sealBacklog = text(PackageResources.seal_backlog_sql)

  static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
