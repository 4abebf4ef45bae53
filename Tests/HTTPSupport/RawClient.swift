// A client that sends exactly what it is told to and gives back exactly what came, until the server closes.

import Glibc

package enum RawClient {
  package struct Failed: Error {
    package let code: Int32
  }

  package struct Answer: Sendable, Equatable {
    package let status: Int
    /// Without those whose names were asked to be left out.
    package let headers: [String]
    package let body: String
  }

  /// One request with `Connection: close` among its lines, or one that ends the connection by being refused.
  package static func ask(port: Int, _ request: String, leavingOut names: Set<String> = []) throws -> Answer? {
    let text = try exchange(port: port, Array(request.utf8))
    guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
    let lines = text[..<end.lowerBound].split(separator: "\r\n")
    guard let first = lines.first, first.hasPrefix("HTTP/1.1 "), let status = Int(first.dropFirst(9).prefix(3)) else {
      return nil
    }
    let headers = lines.dropFirst().filter { line in
      !names.contains(line.prefix { $0 != ":" }.lowercased())
    }
    return Answer(status: status, headers: headers.map(String.init), body: String(text[end.upperBound...]))
  }

  private static func exchange(port: Int, _ request: [UInt8]) throws -> String {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw Failed(code: errno) }
    defer { close(descriptor) }
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = UInt16(port).bigEndian
    place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = unsafe withUnsafePointer(to: &place) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw Failed(code: errno) }
    var rest = request[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      // A server that has read enough answers before all was sent.
      guard count > 0 else { break }
      rest = rest.dropFirst(count)
    }
    var received: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe recv(descriptor, &part, part.count, 0)
      guard count > 0 else { return String(decoding: received, as: UTF8.self) }
      received += part.prefix(count)
    }
  }
}
