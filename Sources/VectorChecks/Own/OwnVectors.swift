// All our formats, and the command that writes their files. A second run over its own result changes nothing.

import Contracts
import FoundationEssentials

enum OwnVectors {
  static let formats: [any OwnFormat.Type] = [
    MissionKeyV1Vectors.self, GrantV1Vectors.self, FieldV1Vectors.self,
    FrameVectors.self, RecordKeyVectors.self, ScopeVectors.self, MissionKeyV2Vectors.self, KeyIdVectors.self,
    GrantV2Vectors.self, KeyringVectors.self, FieldV2Vectors.self, SealedCopyVectors.self, AuditChainVectors.self,
    VaultVectors.self, PlannerInputVectors.self,
  ]

  struct Written: Sendable, Equatable {
    /// Relative to the folder.
    let file: String
    let tests: Int
    let changed: Bool
  }

  /// Writes every vector file and its schema into `folder`. Key pairs and RSA ciphertexts come from the files that
  /// are there, as long as they still do what the new ones say of them. A file whose bytes stay is not touched.
  @discardableResult
  static func generate(into folder: String) throws -> [Written] {
    try FileManager.default.createDirectory(atPath: folder + "/schemas", withIntermediateDirectories: true)
    let keys = try ThrowAwayKeys(keeping: former(GrantV2Vectors.self, in: folder))
    return try formats.flatMap { format -> [Written] in
      let groups = try format.make(keeping: former(format, in: folder), keys: keys)
      let tests = groups.reduce(0) { $0 + $1.tests.count }
      return [
        try write(format.file(of: groups), to: format.name + ".json", in: folder, tests: tests),
        try write(format.schema, to: format.schemaName, in: folder, tests: 0),
      ]
    }
  }

  private static func former(_ format: any OwnFormat.Type, in folder: String) throws -> FormerFile {
    try read(folder + "/" + format.name + ".json").map { FormerFile($0) } ?? FormerFile()
  }

  private static func write(
    _ json: JSONValue, to file: String, in folder: String, tests: Int
  ) throws -> Written {
    let (path, bytes) = (folder + "/" + file, PrettyJSON.bytes(json))
    let changed = try read(path) != bytes
    if changed { try Data(bytes).write(to: URL(filePath: path), options: .atomic) }
    return Written(file: file, tests: tests, changed: changed)
  }

  /// Nil where there is no such file; one that is there and cannot be read is an error.
  private static func read(_ path: String) throws -> [UInt8]? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return Array(try Data(contentsOf: URL(filePath: path)))
  }
}
