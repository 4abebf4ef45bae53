// The address of a resource. It is taken apart by the same library that will connect, so that what is checked is what
// is used; and it never shows more of itself than where it leads, for paths and queries may hold secrets.

import CCurl

package struct HTTPURL: Sendable, Equatable, CustomStringConvertible {
  /// As libcurl spells it.
  package let text: String
  package let scheme: String
  package let host: String
  package let port: Int

  package static let longest = 8192

  package init(_ text: String) throws(HTTPFailure) { try self.init(text, cuttingFragment: false) }

  /// A redirect may carry a fragment, which is the browser's business and never sent.
  init(_ text: String, cuttingFragment: Bool) throws(HTTPFailure) {
    guard text.utf8.count <= Self.longest, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw .invalidRequest("the URL is too long or holds a character that no URL has")
    }
    guard let parts = unsafe curl_url() else { throw .broken("libcurl has no memory for a URL") }
    defer { unsafe curl_url_cleanup(parts) }
    guard unsafe curl_url_set(parts, CURLUPART_URL, text, 0) == CURLUE_OK else {
      throw .invalidRequest("the URL is not absolute, or not one")
    }
    if cuttingFragment { unsafe curl_url_set(parts, CURLUPART_FRAGMENT, nil, 0) }
    func part(_ which: CURLUPart, _ flags: Int32 = 0) -> String? {
      var found: UnsafeMutablePointer<CChar>?
      guard unsafe curl_url_get(parts, which, &found, UInt32(bitPattern: flags)) == CURLUE_OK,
        let start = unsafe found
      else { return nil }
      defer { unsafe curl_free(start) }
      return unsafe String(cString: start)
    }
    guard let scheme = part(CURLUPART_SCHEME)?.lowercased(), scheme == "http" || scheme == "https" else {
      throw .invalidRequest("the URL is neither http nor https")
    }
    guard part(CURLUPART_USER) == nil, part(CURLUPART_PASSWORD) == nil, part(CURLUPART_FRAGMENT) == nil else {
      throw .invalidRequest("the URL has a user name or a fragment")
    }
    guard let host = part(CURLUPART_HOST)?.lowercased(), !host.isEmpty,
      let port = part(CURLUPART_PORT, CURLU_DEFAULT_PORT).flatMap({ Int($0) }), (1...65_535).contains(port),
      let whole = part(CURLUPART_URL)
    else { throw .invalidRequest("the URL has no host or no port") }
    self.text = whole
    self.scheme = scheme
    self.host = host
    self.port = port
  }

  func hasOrigin(of other: HTTPURL) -> Bool { scheme == other.scheme && host == other.host && port == other.port }

  package var description: String { "\(scheme)://\(host):\(port)/…" }
}
