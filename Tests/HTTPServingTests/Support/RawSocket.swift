// A client that sends exactly the bytes it is given, and sees exactly what comes back.

import Foundation
import HTTPServing

#if canImport(Glibc)
  import Glibc
#endif

enum SocketProblem: Error {
  case cannotConnect(Int32)
  case cannotSend(Int32)
  /// Nothing came for half a minute: the server does not do what it promises.
  case silence
  case reset
  case notAReply(String)
}

struct Reply: Sendable {
  let status: Int
  let head: String
  let body: String

  func header(_ name: String) -> String? { headers(name).first }

  func headers(_ name: String) -> [String] {
    head.split(separator: "\r\n").dropFirst().compactMap { line in
      let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      return parts.count == 2 && parts[0].lowercased() == name.lowercased() ? parts[1] : nil
    }
  }
}

final class RawSocket: @unchecked Sendable {
  let descriptor: Int32
  private var received: [UInt8] = []

  init(_ address: HTTPListener.Address) throws {
    switch address {
    case .tcp(_, let port):
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var place = sockaddr_in()
      place.sin_family = sa_family_t(AF_INET)
      place.sin_port = port.bigEndian
      place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      try Self.connect(descriptor, &place)
    case .unix(let path, _):
      descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      var place = sockaddr_un()
      place.sun_family = sa_family_t(AF_UNIX)
      unsafe withUnsafeMutableBytes(of: &place.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
      try Self.connect(descriptor, &place)
    }
    var patience = timeval(tv_sec: 30, tv_usec: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  private static func connect<Address>(_ descriptor: Int32, _ address: inout Address) throws {
    let answer = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
      }
    }
    guard answer == 0 else {
      let error = errno
      close(descriptor)
      throw SocketProblem.cannotConnect(error)
    }
  }

  // MARK: Sending

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw SocketProblem.cannotSend(errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// False once the server has had enough.
  func trySend(_ bytes: [UInt8]) -> Bool {
    do { try send(bytes) } catch { return false }
    return true
  }

  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Ends with a reset instead of a goodbye.
  func vanish() {
    var now = linger(l_onoff: 1, l_linger: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  // MARK: Receiving

  /// Nil at the end of the stream, a reset included.
  func receive() throws -> [UInt8]? {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
    if count > 0 { return Array(chunk.prefix(count)) }
    if count == 0 || errno == ECONNRESET || errno == EPIPE { return nil }
    throw SocketProblem.silence
  }

  /// One reply; nil when the stream ends before one has begun.
  func reply(toHead: Bool = false) throws -> Reply? {
    while received.firstRange(of: Array("\r\n\r\n".utf8)) == nil {
      guard let more = try receive() else {
        if received.isEmpty { return nil }
        throw SocketProblem.notAReply(String(decoding: received, as: UTF8.self))
      }
      received += more
    }
    guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
    let head = String(decoding: received[..<end.lowerBound], as: UTF8.self)
    received.removeFirst(end.upperBound)
    guard head.hasPrefix("HTTP/1."), let status = Int(head.dropFirst(9).prefix(3)) else {
      throw SocketProblem.notAReply(head)
    }
    let empty = Reply(status: status, head: head, body: "")
    guard !toHead, let length = empty.header("Content-Length").flatMap(Int.init) else { return empty }
    while received.count < length {
      guard let more = try receive() else { throw SocketProblem.notAReply("cut off after \(received.count) bytes") }
      received += more
    }
    defer { received.removeFirst(length) }
    return Reply(status: status, head: head, body: String(decoding: received.prefix(length), as: UTF8.self))
  }

  /// Everything until the server closes.
  func rest() throws -> String {
    while let more = try receive() { received += more }
    return String(decoding: received, as: UTF8.self)
  }

  func ask(_ request: String) throws -> Reply {
    try send(request)
    guard let reply = try reply() else { throw SocketProblem.reset }
    return reply
  }

  func get(_ path: String, headers: String = "") throws -> Reply {
    try ask("GET \(path) HTTP/1.1\r\nHost: a\r\n\(headers)\r\n")
  }
}
