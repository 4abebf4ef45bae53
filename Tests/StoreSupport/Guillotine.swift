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
    listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let bound = unsafe Self.withAddress(folder + "/.s.PGSQL.\(Self.port)") { unsafe bind(listener, $0, $1) }
    guard listener >= 0, bound == 0, listen(listener, 8) == 0 else { throw SupportError.failed("no socket") }
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
    let upstream = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let connected = unsafe Self.withAddress(server) { unsafe connect(upstream, $0, $1) }
    guard client >= 0, connected == 0 else {
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
      guard Self.send(message, to: server) else { break }
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
      } else if !Self.send(message, to: client) {
        isCut = true
      }
    }
    shutdown(client, Int32(SHUT_RDWR))
  }

  private static func send(_ bytes: [UInt8], to target: Int32) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let written = unsafe bytes.withUnsafeBytes { raw in
        unsafe Glibc.send(target, raw.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard written > 0 else { return false }
      sent += written
    }
    return true
  }

  private static func withAddress<Value>(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
  ) -> Value {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}

/// Takes a stream apart into whole messages: a type, a length that counts itself, a body.
private struct MessageReader {
  private let source: Int32
  private var pending: [UInt8] = []
  private var hasType: Bool

  init(_ source: Int32, firstHasType: Bool) { (self.source, hasType) = (source, firstHasType) }

  mutating func next() -> [UInt8]? {
    let type = hasType ? 1 : 0
    guard fill(type + 4) else { return nil }
    let length = pending[type..<type + 4].reduce(0) { $0 << 8 | Int($1) }
    guard fill(type + length) else { return nil }
    defer { pending.removeFirst(type + length) }
    hasType = true
    return Array(pending.prefix(type + length))
  }

  private mutating func fill(_ count: Int) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while pending.count < count {
      let received = unsafe read(source, &buffer, buffer.count)
      guard received > 0 else { return false }
      pending += buffer.prefix(received)
    }
    return true
  }
}
