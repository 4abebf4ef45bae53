// PostgreSQL's protocol as a man in the middle on Unix sockets sees it: whole messages, and the few calls of the kernel
// that carry them on.

import Foundation
import PostgresSupport

#if canImport(Glibc)
  import Glibc
#endif

enum WireSocket {
  /// Bound to the path and listening.
  static func listening(at path: String) throws -> Int32 {
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let bound = unsafe withAddress(path) { unsafe bind(listener, $0, $1) }
    guard listener >= 0, bound == 0, listen(listener, 64) == 0 else { throw SupportError.failed("no socket") }
    return listener
  }

  /// Nil where nobody listens.
  static func connected(to path: String) -> Int32? {
    let upstream = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    if upstream >= 0, unsafe withAddress(path, { unsafe connect(upstream, $0, $1) }) == 0 { return upstream }
    close(upstream)
    return nil
  }

  static func send(_ bytes: [UInt8], to target: Int32) -> Bool {
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

  static func withAddress<Value>(
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
struct MessageReader {
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
