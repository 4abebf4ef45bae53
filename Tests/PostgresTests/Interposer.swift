// A man in the middle on a Unix socket, for what cannot be had from a real server at will: an answer that gets lost,
// a request that does, and a look at what is on its way. It forwards bytes until its rule says to cut.

import Foundation
import PostgresSupport

@testable import Postgres

#if canImport(Glibc)
  import Glibc
#endif

final class Interposer: Sendable {
  enum Rule: Sendable {
    case forward
    /// Cuts both ways when the client sends these bytes, which the server never sees.
    case loseRequest(String)
    /// Cuts both ways when the server answers with these bytes, which the client never sees.
    case loseAnswer(String)
  }

  private struct Outstanding {
    var now = 1
    var most = 0
  }

  let folder: String
  private let listener: Int32
  private let server: String
  private let rule: Guarded<Rule>
  /// Sync messages that were on their way at one time, at most. The server's first "ready" answers no Sync.
  private let outstanding = Guarded(Outstanding())
  static let port = 54_322

  var mostSyncsOutstanding: Int { outstanding.withLock { $0.most } }

  /// Listens in a folder of its own and forwards to the server's socket.
  init(before server: String, rule: Rule = .forward) throws {
    folder = try TemporaryFolder.make()
    self.server = server
    self.rule = Guarded(rule)
    listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let bound = unsafe Self.withAddress(folder + "/.s.PGSQL.\(Self.port)") { address, size in
      unsafe bind(listener, address, size)
    }
    guard listener >= 0, bound == 0, listen(listener, 8) == 0 else { throw SupportError.failed("no socket") }
    Thread.detachNewThread { self.accept() }
  }

  func end() {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
    unsafe unlink(folder + "/.s.PGSQL.\(Self.port)")
    unsafe rmdir(folder)
  }

  func url(database: String) -> String {
    "postgres:///\(database)?host=\(folder)&port=\(Self.port)&user=postgres"
  }

  private func accept() {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0 else { return }
      let upstream = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      let connected = unsafe Self.withAddress(server) { address, size in unsafe connect(upstream, address, size) }
      guard connected == 0 else {
        close(client)
        close(upstream)
        continue
      }
      Thread.detachNewThread { self.pump(from: client, to: upstream, isRequest: true) }
      Thread.detachNewThread { self.pump(from: upstream, to: client, isRequest: false) }
    }
  }

  private func pump(from source: Int32, to target: Int32, isRequest: Bool) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var messages = MessageCounter(isRequest: isRequest)
    defer {
      // The other direction ends with this one; descriptors stay until the process ends, they are few.
      shutdown(source, Int32(SHUT_RDWR))
      shutdown(target, Int32(SHUT_RDWR))
    }
    while true {
      let count = unsafe read(source, &buffer, buffer.count)
      guard count > 0 else { return }
      let bytes = buffer[..<count]
      if mustCut(bytes, isRequest: isRequest) { return }
      let ends = messages.count(bytes)
      if ends > 0 {
        outstanding.withLock {
          $0.now += isRequest ? ends : -ends
          $0.most = max($0.most, $0.now)
        }
      }
      var sent = 0
      while sent < count {
        let written = unsafe bytes.withUnsafeBytes { raw in
          unsafe send(target, raw.baseAddress?.advanced(by: sent), count - sent, Int32(MSG_NOSIGNAL))
        }
        guard written > 0 else { return }
        sent += written
      }
    }
  }

  private func mustCut(_ bytes: ArraySlice<UInt8>, isRequest: Bool) -> Bool {
    switch rule.withLock({ $0 }) {
    case .forward: false
    case .loseRequest(let text): isRequest && contains(bytes, text)
    case .loseAnswer(let text): !isRequest && contains(bytes, text)
    }
  }

  private func contains(_ bytes: ArraySlice<UInt8>, _ text: String) -> Bool {
    let wanted = Array(text.utf8)
    guard bytes.count >= wanted.count else { return false }
    return (bytes.startIndex...bytes.endIndex - wanted.count).contains {
      bytes[$0..<$0 + wanted.count].elementsEqual(wanted)
    }
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

/// Walks over protocol messages and counts those that end a unit: Sync from the client, ReadyForQuery from the server.
private struct MessageCounter {
  private let type: UInt8
  private var header: [UInt8] = []
  private var toSkip = 0
  /// The client's first message has no type.
  private var headerBytes: Int

  init(isRequest: Bool) {
    type = UInt8(ascii: isRequest ? "S" : "Z")
    headerBytes = isRequest ? 4 : 5
  }

  mutating func count(_ bytes: ArraySlice<UInt8>) -> Int {
    var found = 0
    var rest = bytes
    while !rest.isEmpty {
      if toSkip > 0 {
        let skipped = min(toSkip, rest.count)
        rest = rest.dropFirst(skipped)
        toSkip -= skipped
        continue
      }
      header.append(rest.removeFirst())
      guard header.count == headerBytes else { continue }
      toSkip = header.suffix(4).reduce(0) { $0 << 8 | Int($1) } - 4
      if headerBytes == 5, header[0] == type { found += 1 }
      headerBytes = 5
      header = []
    }
    return found
  }
}
