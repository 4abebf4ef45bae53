// A folder of this run's own for sockets and what belongs to them. Short, because a socket's path ends at 107 bytes.

import Foundation

package enum TemporaryFolder {
  /// New, empty, and closed to everybody else.
  package static func make() throws -> String {
    let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    let folder = "\(parent)/mandate-\(UUID().uuidString.prefix(8))"
    guard folder.utf8.count <= 80 else { throw SupportError.failed("TMPDIR is too long for a socket: \(parent)") }
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    return folder
  }
}
