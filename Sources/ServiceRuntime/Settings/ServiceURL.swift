// The address of another service, as a setting may give it: absolute, with a host, and with nothing in it that must
// not be shown.

internal import FoundationEssentials

package struct ServiceURL: Sendable, Equatable {
  /// As it was given; an `http` client takes it from here.
  package let text: String
  package let scheme: String
  package let host: String
  package let port: Int?
  package let path: String

  /// Longer ones are a slip of the clipboard.
  static let longest = 2048

  static let standIn = ServiceURL(text: "http://localhost", scheme: "http", host: "localhost", port: nil, path: "")

  /// Nil unless the whole text is such a URL. Parsing is Foundation's; what is checked here is what it lets pass.
  package init?(_ text: String, schemes: [String]) {
    guard text.utf8.count <= Self.longest, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
    guard let parts = URLComponents(string: text), let scheme = parts.scheme, schemes.contains(scheme) else {
      return nil
    }
    guard let host = parts.host, !host.isEmpty, parts.user == nil, parts.password == nil, parts.fragment == nil else {
      return nil
    }
    if let port = parts.port, !(1...65_535).contains(port) { return nil }
    self.init(text: text, scheme: scheme, host: host, port: parts.port, path: parts.path)
  }

  private init(text: String, scheme: String, host: String, port: Int?, path: String) {
    (self.text, self.scheme, self.host, self.port, self.path) = (text, scheme, host, port, path)
  }
}
