// Whose word counts about where a request comes from. Without a list, nobody's: the connection's address is the
// client's.

package struct TrustedProxies: Sendable {
  private let networks: [IPNetwork]
  /// Whether whoever connects through the Unix socket is a proxy of ours.
  private let unixPeers: Bool

  package static let none = TrustedProxies(networks: [])

  package init(networks: [IPNetwork], unixPeers: Bool = false) {
    self.networks = networks
    self.unixPeers = unixPeers
  }

  /// The rightmost address that no trusted proxy has: each proxy appends whom it saw, so everything to the left of the
  /// first untrusted one is only a claim. An entry that is no address ends the walk: what stands to its left was
  /// passed on by somebody who wrote that.
  func client(peer: IPAddress?, forwardedFor: [String]) -> IPAddress? {
    guard peer.map(isTrusted) ?? unixPeers else { return peer }
    var nearest = peer
    let entries = forwardedFor.joined(separator: ",").split(separator: ",", omittingEmptySubsequences: false)
    for entry in entries.reversed() {
      let text = entry.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
      guard let address = IPAddress(String(text)) else { return nearest }
      if !isTrusted(address) { return address }
      nearest = address
    }
    return nearest
  }

  private func isTrusted(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }
}
