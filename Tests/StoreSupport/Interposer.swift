// A man in the middle who stays: he carries every connection of a service to its server and back, for as long as the
// service lives. Armed, he waits for the exchange that carries certain bytes, counts the messages of its connection from
// there on, and strikes once, at the one he was told: he does not pass it on, does what he was asked to, and cuts that
// connection.

import Foundation
import PostgresSupport
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

package final class Interposer: Sendable {
  package enum Point: Sendable, Hashable {
    /// In place of the service's message of this number; 0 is the one that carries the bytes.
    case request(Int)
    /// In place of the server's message of this number that comes after those bytes were sent.
    case answer(Int)
    /// Only counts.
    case never
  }

  package struct Sight: Sendable {
    package var requests = 0
    package var answers = 0
    package var hasStruck = false
  }

  private struct Plan {
    var point = Point.never
    var marker: [UInt8] = []
    var strike: @Sendable () -> Void = {}
    /// The connection whose messages count, once the bytes were seen.
    var connection: Int32?
    var sight = Sight()
    /// A plan that was never armed matches nothing.
    var isArmed = false
  }

  package let folder: String
  private let server: String
  private let listener: Int32
  private let plan = Mutex(Plan())
  package static let port = 54_324

  /// `server` is the path of its socket.
  package init(before server: String) throws {
    folder = FileManager.default.temporaryDirectory.path + "/mandate-mid-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    self.server = server
    listener = try WireSocket.listening(at: folder + "/.s.PGSQL.\(Self.port)")
    // Ends when the listener is shut down.
    Thread.detachNewThread { [self] in
      while case let client = accept(listener, nil, nil), client >= 0 { carry(client) }
    }
  }

  package func url(database: String, user: String) -> String {
    "postgres:///\(database)?host=\(folder)&port=\(Self.port)&user=\(user)"
  }

  /// No further connections. Those there are end with the service.
  package func end() {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
    unsafe unlink(folder + "/.s.PGSQL.\(Self.port)")
    unsafe rmdir(folder)
  }

  /// Waits for the next exchange that carries `marker`; whatever was armed before is forgotten.
  package func arm(_ marker: [UInt8], _ point: Point, _ strike: @escaping @Sendable () -> Void = {}) {
    plan.withLock { $0 = Plan(point: point, marker: marker, strike: strike, isArmed: true) }
  }

  /// What was seen since it was armed.
  package var sight: Sight { plan.withLock { $0.sight } }

  // MARK: Carrying

  private func carry(_ client: Int32) {
    guard let upstream = WireSocket.connected(to: server) else {
      close(client)
      return
    }
    // Whoever is through last closes both, so that neither number is given out again while the other still uses it.
    let both = Last(2)
    let finish = { @Sendable in
      if both.leave() {
        close(client)
        close(upstream)
      }
    }
    Thread.detachNewThread {
      var reader = MessageReader(client, firstHasType: false)
      while let message = reader.next(), !self.strikes(message, from: client, isRequest: true),
        WireSocket.send(message, to: upstream)
      {}
      // The server still carries out what it was sent before.
      shutdown(client, Int32(SHUT_RDWR))
      shutdown(upstream, Int32(SHUT_WR))
      finish()
    }
    Thread.detachNewThread {
      var reader = MessageReader(upstream, firstHasType: true)
      var isOpen = true
      while let message = reader.next() {
        if isOpen, self.strikes(message, from: client, isRequest: false) || !WireSocket.send(message, to: client) {
          isOpen = false
          shutdown(client, Int32(SHUT_RDWR))
          shutdown(upstream, Int32(SHUT_WR))
        }
      }
      shutdown(client, Int32(SHUT_RDWR))
      shutdown(upstream, Int32(SHUT_RDWR))
      finish()
    }
  }

  /// Counts the message; true if it must not be passed on.
  private func strikes(_ message: [UInt8], from connection: Int32, isRequest: Bool) -> Bool {
    let strike: (@Sendable () -> Void)? = plan.withLock { plan in
      guard plan.isArmed, !plan.sight.hasStruck else { return nil }
      if plan.connection == nil, isRequest, message.firstRange(of: plan.marker) != nil { plan.connection = connection }
      guard plan.connection == connection else { return nil }
      let isNow =
        switch plan.point {
        case .request(let number): isRequest && plan.sight.requests == number
        case .answer(let number): !isRequest && plan.sight.answers == number
        case .never: false
        }
      if isRequest { plan.sight.requests += 1 } else { plan.sight.answers += 1 }
      guard isNow else { return nil }
      plan.sight.hasStruck = true
      return plan.strike
    }
    strike?()
    return strike != nil
  }
}

/// The last of so many to leave is told.
private final class Last: Sendable {
  private let inside: Atomic<Int>
  init(_ count: Int) { inside = Atomic(count) }
  func leave() -> Bool { inside.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
}
