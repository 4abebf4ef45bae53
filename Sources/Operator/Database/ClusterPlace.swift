// Which private cluster a folder has, and where its parts are: plain functions of the folder's path.

import Contracts

struct ClusterPlace: Codable, Sendable, Equatable {
  /// 32 hexadecimal digits, so that two folders never meet in /var/lib.
  let id: String
  /// Whose cluster it is; 0 is root.
  let user: UInt32

  /// The part of the socket's name that stands for a port. Nothing listens on TCP.
  static let port = 5432
  private static let socketName = "/.s.PGSQL.\(port)"
  /// sockaddr_un has room for 108 bytes, and the last one ends the text.
  static let longestSocketPath = 107

  init(user: UInt32, using random: inout some RandomNumberGenerator) {
    id = Hex.encode((0..<16).map { _ in UInt8.random(in: 0...255, using: &random) })
    self.user = user
  }

  /// The id becomes part of paths, so a pointer that somebody edited is not believed.
  var isSound: Bool {
    id.utf8.count == 32
      && id.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }

  var isRoots: Bool { user == 0 }

  static let rootsHomes = "/var/lib/mandate"
  static let rootsSockets = "/run/mandate"
  static let ownHome = "postgres"
  static let ownSockets = "run"
  /// For sockets whose own place has too long a name.
  static let shortPlace = "/tmp"
  var shortName: String { "mandate-\(user)-\(id)" }

  func home(in folder: String) -> String { isRoots ? "\(Self.rootsHomes)/\(id)" : "\(folder)/\(Self.ownHome)" }

  func sockets(in folder: String) -> String {
    if isRoots { return "\(Self.rootsSockets)/\(id)" }
    return needsShortPlace(in: folder) ? "\(Self.shortPlace)/\(shortName)" : "\(folder)/\(Self.ownSockets)"
  }

  func needsShortPlace(in folder: String) -> Bool {
    !isRoots && "\(folder)/\(Self.ownSockets)\(Self.socketName)".utf8.count > Self.longestSocketPath
  }
}
