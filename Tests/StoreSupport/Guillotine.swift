// A man in the middle on a Unix socket who cuts a connection off at a chosen message of the protocol, as a killed
// client does: what was sent until then the server still carries out. He notes whether certain bytes came back.

import Foundation
import PostgresSupport
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

package final class Guillotine: Sendable {
  package enum Cut: Sendable {
    /// After so many whole messages of the client, counted behind its start-up.
    case afterRequests(Int)
    /// After so many whole messages of the server, counted behind its first "ready for query".
    case afterAnswers(Int)
    case never
  }

  package struct Sight: Sendable {
    package var requests = 0
    package var answers = 0
    package var wasCut = false
    /// Whether the bytes came out of the server at all, and whether they reached the client.
    package var left = false
    package var arrived = false
  }

  package let folder: String
  private let listener: Int32
  private let cut: Cut
  private let marker: [UInt8]
  private let sight = Mutex(Sight())
  private let isOver = DispatchSemaphore(value: 0)
  package static let port = 54_323

  /// `server` is the path of its socket.
  package init(before server: String, cut: Cut, marker: [UInt8]) throws {
    folder = FileManager.default.temporaryDirectory.path + "/mandate-cut-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    self.cut = cut
    self.marker = marker
    listener = try WireSocket.listening(at: folder + "/.s.PGSQL.\(Self.port)")
    Thread.detachNewThread { self.serve(server) }
  }

  package func url(database: String, user: String) -> String {
    "postgres:///\(database)?host=\(folder)&port=\(Self.port)&user=\(user)"
  }

  /// When the server has closed its end too, so that nothing of the connection is under way any more.
  package func result() async -> Sight {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        self.isOver.wait()
        continuation.resume()
      }
    }
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
    unsafe unlink(folder + "/.s.PGSQL.\(Self.port)")
    unsafe rmdir(folder)
    return sight.withLock { $0 }
  }

  /// One connection only: whoever comes next is turned away.
  private func serve(_ server: String) {
    let client = accept(listener, nil, nil)
    guard client >= 0, let upstream = WireSocket.connected(to: server) else {
      isOver.signal()
      return
    }
    Thread.detachNewThread {
      while case let next = accept(self.listener, nil, nil), next >= 0 { close(next) }
    }
    Thread.detachNewThread { self.forwardRequests(from: client, to: upstream) }
    forwardAnswers(from: upstream, to: client)
    close(client)
    close(upstream)
    isOver.signal()
  }

  private func forwardRequests(from client: Int32, to server: Int32) {
    var reader = MessageReader(client, firstHasType: false)
    var isFirst = true
    while let message = reader.next() {
      if !isFirst {
        let mustStop = sight.withLock { sight in
          if case .afterRequests(let most) = cut, sight.requests >= most { return true }
          sight.requests += 1
          return false
        }
        if mustStop { break }
      }
      isFirst = false
      guard WireSocket.send(message, to: server) else { break }
    }
    sight.withLock { if case .afterRequests(let most) = cut, $0.requests >= most { $0.wasCut = true } }
    // The client is dead, and the server learns it when it has read what was sent before.
    shutdown(client, Int32(SHUT_RDWR))
    shutdown(server, Int32(SHUT_WR))
  }

  private func forwardAnswers(from server: Int32, to client: Int32) {
    var reader = MessageReader(server, firstHasType: true)
    var isReady = false
    var isCut = false
    while let message = reader.next() {
      let holdsMarker = message.firstRange(of: marker) != nil
      sight.withLock { sight in
        if isReady { sight.answers += 1 }
        if case .afterAnswers(let most) = cut, sight.answers > most { sight.wasCut = true }
        isCut = isCut || sight.wasCut
        if holdsMarker { sight.left = true }
        if holdsMarker, !isCut { sight.arrived = true }
      }
      if message.first == UInt8(ascii: "Z") { isReady = true }
      if isCut {
        shutdown(client, Int32(SHUT_RDWR))
        shutdown(server, Int32(SHUT_WR))
      } else if !WireSocket.send(message, to: client) {
        isCut = true
      }
    }
    shutdown(client, Int32(SHUT_RDWR))
  }
}
