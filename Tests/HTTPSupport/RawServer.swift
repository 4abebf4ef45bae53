// A server of raw sockets: each connection runs the test's script on a thread of its own, which may answer, dawdle,
// lie or hang up. It counts what it saw, for what a client claims about itself proves nothing.

import Foundation
import Glibc
import Synchronization

package final class RawServer: Sendable {
  package struct Unusable: Error {}

  package let port: Int
  private let listener: Int32
  private let tally = Tally()

  /// Connections that were accepted, and requests that were read whole.
  package var connections: Int { tally.connections.withLock { $0 } }
  package var requests: [RawRequest] { tally.requests.withLock { $0 } }

  package init(
    unixSocket path: String? = nil, _ script: @escaping @Sendable (borrowing RawConnection) -> Void
  ) throws {
    listener = try path.map { try Self.listen(onUnixSocket: $0) } ?? Self.listenOnTCP()
    port = path == nil ? Self.port(of: listener) : 0
    let (listener, tally) = (listener, tally)
    Thread.detachNewThread {
      while true {
        let number = accept(listener, nil, nil)
        if number < 0 {
          if errno == EINTR || errno == ECONNABORTED { continue }
          close(listener)
          return
        }
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        let index = tally.connections.withLock { count in
          count += 1
          return count
        }
        Thread.detachNewThread { script(RawConnection(owning: number, index: index, tally: tally)) }
      }
    }
  }

  /// A server that answers every request alike, as often as it is asked.
  package convenience init(answering answer: String) throws {
    try self.init { connection in while connection.readRequest() != nil, connection.send(answer) {} }
  }

  /// Wakes the thread that accepts, which closes the listener.
  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  package func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

  // MARK: Sockets

  private static func listenOnTCP() throws -> Int32 {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let bound = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard number >= 0, bound == 0, Glibc.listen(number, 128) == 0 else { throw Unusable() }
    return number
  }

  private static func listen(onUnixSocket path: String) throws -> Int32 {
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count < 108 else { throw Unusable() }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let bound = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard number >= 0, bound == 0, Glibc.listen(number, 128) == 0 else { throw Unusable() }
    return number
  }

  private static func port(of listener: Int32) -> Int {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(listener, $0, &size) }
    }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}

final class Tally: Sendable {
  let connections = Mutex(0)
  let requests = Mutex<[RawRequest]>([])
}

package struct RawRequest: Sendable {
  /// Which connection it came on, from 1.
  package let connection: Int
  package let head: String
  package let body: [UInt8]

  package var line: String { String(head.split(separator: "\r\n").first ?? "") }

  package func header(_ name: String) -> String? {
    let lines = head.split(separator: "\r\n").dropFirst()
    return lines.first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
      .map { String($0.drop { $0 != ":" }.dropFirst().drop { $0 == " " }) }
  }
}

/// One accepted socket; closed when the script returns.
package struct RawConnection: ~Copyable, Sendable {
  private let number: Int32
  package let index: Int
  private let tally: Tally

  init(owning number: Int32, index: Int, tally: Tally) {
    self.number = number
    self.index = index
    self.tally = tally
  }

  deinit { close(number) }

  /// A whole request, or nil when the client hung up.
  package func readRequest() -> RawRequest? {
    var head: [UInt8] = []
    while !head.suffix(4).elementsEqual(Array("\r\n\r\n".utf8)) {
      guard let byte = read(1)?.first else { return nil }
      head.append(byte)
    }
    let text = String(decoding: head, as: UTF8.self)
    let length = RawRequest(connection: index, head: text, body: []).header("content-length").flatMap { Int($0) } ?? 0
    var body: [UInt8] = []
    while body.count < length {
      guard let more = read(length - body.count) else { return nil }
      body += more
    }
    let request = RawRequest(connection: index, head: text, body: body)
    tally.requests.withLock { $0.append(request) }
    return request
  }

  /// False when nobody takes it any more.
  @discardableResult
  package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  @discardableResult
  package func send(_ bytes: [UInt8]) -> Bool {
    var offset = 0
    while offset < bytes.count {
      let sent = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(
          number, $0.baseAddress.map { unsafe $0 + offset }, bytes.count - offset, Int32(MSG_NOSIGNAL))
      }
      if sent > 0 { offset += sent } else if errno != EINTR { return false }
    }
    return true
  }

  /// Reads a request without a body and leaves no trace of it in this process; for tests that search its memory.
  package func discardRequest() {
    let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: 1 << 16)
    defer {
      unsafe explicit_bzero(buffer, 1 << 16)
      unsafe buffer.deallocate()
    }
    var count = 0
    while count < 1 << 16 {
      let got = unsafe Glibc.read(number, buffer + count, (1 << 16) - count)
      guard got > 0 else { return }
      count += got
      if count >= 4, unsafe buffer[count - 1] == 10, unsafe buffer[count - 3] == 10 { return }
    }
  }

  /// Sends bytes that are made as they are sent, and leaves no trace of them in this process.
  package func sendWiped(count: Int, byte: (Int) -> UInt8) {
    let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
    for index in 0..<count { unsafe buffer[index] = byte(index) }
    _ = unsafe Glibc.send(number, buffer, count, Int32(MSG_NOSIGNAL))
    unsafe explicit_bzero(buffer, count)
    unsafe buffer.deallocate()
  }

  /// Returns when the client has closed, or cut, the connection.
  package func waitForEnd() { while read(4096) != nil {} }

  /// The next close sends RST in place of FIN.
  package func resetOnClose() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    _ = unsafe setsockopt(number, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
  }

  private func read(_ count: Int) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: count)
    while true {
      let got = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(number, $0.baseAddress, count) }
      if got > 0 { return Array(buffer.prefix(got)) }
      if got == 0 || errno != EINTR { return nil }
    }
  }
}

/// `HTTP/1.1 200 OK` with a body and its length.
package func answer(_ status: Int = 200, _ body: String = "", headers: [String] = []) -> String {
  (["HTTP/1.1 \(status) Word", "Content-Length: \(body.utf8.count)"] + headers).map { $0 + "\r\n" }.joined()
    + "\r\n" + body
}
