// One listener: where it listens, to whom, with which limits and routes. Public and internal routes never share one.

/// What a listener is called in logs and metrics; a closed set.
package enum ListenerName: String, Sendable, CaseIterable {
  case publicSide = "public"
  case internalSide = "internal"
}

package struct HTTPListener: Sendable {
  package enum Address: Sendable, Equatable {
    /// An IP literal; port 0 takes a free one, for tests.
    case tcp(host: String, port: UInt16)
    case unix(path: String, access: SocketAccess)
  }

  /// Who may connect to a Unix socket: its mode.
  package enum SocketAccess: UInt32, Sendable {
    case owner = 0o600
    case group = 0o660
  }

  package var name: ListenerName
  package var address: Address
  package var routes: HTTPRoutes
  package var limits = HTTPLimits()
  package var tls: TLSSettings?
  package var cors: CORSPolicy?
  package var trustedProxies = TrustedProxies.none

  package init(_ name: ListenerName, _ address: Address, routes: HTTPRoutes) {
    self.name = name
    self.address = address
    self.routes = routes
  }

  func check() throws(HTTPServingError) {
    if let contradiction = limits.contradiction { throw .configuration(contradiction) }
    let largest = routes.routes.compactMap(\.bodyLimit).max() ?? 0
    if largest > limits.largestBodyBytes {
      throw .configuration("a route takes \(largest) bytes, more than largestBodyBytes")
    }
  }
}

package struct TLSSettings: Sendable {
  /// PEM: the certificate and its chain, leaf first.
  package var certificateFile: String
  /// PEM, without a passphrase.
  package var keyFile: String
  /// PEM: whoever connects needs a certificate that one of these authorities signed.
  package var clientAuthorityFile: String?

  package init(certificateFile: String, keyFile: String, clientAuthorityFile: String? = nil) {
    self.certificateFile = certificateFile
    self.keyFile = keyFile
    self.clientAuthorityFile = clientAuthorityFile
  }

  /// Reads the files and forgets them: whether a listener could use them, for a look at the settings before a start.
  package func check() throws(HTTPServingError) { _ = try TLSContext(self) }
}
