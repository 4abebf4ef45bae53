// Where this repository lies, as seen from its tests.

import Foundation

enum Repository {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func bytes(of path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: root.appending(path: path))) }
}
