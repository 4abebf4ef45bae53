// What systemd is told about folders: it hands a RuntimeDirectory to the service's user, so nobody else may have anything
// in it.

import Foundation
import Testing

@Suite("Unit files")
struct UnitFileTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private func values(_ lines: [Substring], of key: String) -> [Substring] {
    lines.filter { $0.hasPrefix(key + "=") }.map { $0.dropFirst(key.count + 1) }
  }

  @Test("Each service has a run folder of its own, which is not the private database's, and its socket in it")
  func folders() throws {
    let units = Self.root.appending(path: "ops/systemd")
    var folders: [String] = []
    var sockets = 0
    for name in try FileManager.default.contentsOfDirectory(atPath: units.path) where name.hasSuffix(".service") {
      let lines = try String(contentsOf: units.appending(path: name), encoding: .utf8).split(separator: "\n")
      let own = values(lines, of: "RuntimeDirectory").map(String.init)
      #expect(own == [String(name.dropLast(".service".count))], "\(name)")
      folders += own
      for line in lines {
        guard let socket = line.firstRange(of: "=unix:").map({ line[$0.upperBound...] }) else { continue }
        sockets += 1
        #expect(own.contains { socket.hasPrefix("/run/\($0)/") }, "\(name): \(socket)")
      }
    }
    #expect(!folders.isEmpty && sockets > 0 && Set(folders).count == folders.count)
    #expect(!folders.contains("mandate"), "where mandate db start puts root's socket")
  }
}
