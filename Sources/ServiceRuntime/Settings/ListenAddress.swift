// Where a service listens: `127.0.0.1:3001`, `[::1]:3001` or `unix:/run/mandate-resolver/resolver.sock`. Addresses, not names: a
// name would be looked up, and what it means then is somebody else's decision.

import Glibc

package enum ListenAddress: Sendable, Equatable {
  case tcp(host: String, port: Int)
  case unix(path: String)

  /// sun_path holds this many bytes and the one that ends it.
  private static let longestPath = 107

  package init?(_ text: String) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst("unix:".count))
      guard path.hasPrefix("/"), path.utf8.count <= Self.longestPath, !path.utf8.contains(0) else { return nil }
      self = .unix(path: path)
      return
    }
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let (host, digits) = (String(text[..<colon]), text[text.index(after: colon)...])
    guard let port = Int(digits), String(port) == digits, (0...65_535).contains(port) else { return nil }
    if host.hasPrefix("["), host.hasSuffix("]") {
      let inner = String(host.dropFirst().dropLast())
      guard Self.isAddress(inner, AF_INET6) else { return nil }
      self = .tcp(host: inner, port: port)
    } else {
      guard Self.isAddress(host, AF_INET) else { return nil }
      self = .tcp(host: host, port: port)
    }
  }

  package var text: String {
    switch self {
    case .unix(let path): "unix:\(path)"
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
  }

  /// True where only this machine can come: what must not be reached from outside may rely on it.
  package var isLocal: Bool {
    switch self {
    case .unix: true
    case .tcp(let host, _): host.hasPrefix("127.") || host == "::1"
    }
  }

  private static func isAddress(_ text: String, _ family: Int32) -> Bool {
    var room = [UInt8](repeating: 0, count: 16)
    return unsafe room.withUnsafeMutableBytes { unsafe inet_pton(family, text, $0.baseAddress) == 1 }
  }
}

extension Setting where Value == ListenAddress {
  package static func listenAddress(_ variable: KnownVariable, _ fallback: Fallback, reason: String) -> Self {
    Self(
      variable, fallback, allowed: "`address:port`, `[IPv6 address]:port` or `unix:/path`",
      standIn: .unix(path: "/"), reason: reason, show: { $0.text }, parse: { ListenAddress($0) })
  }
}
