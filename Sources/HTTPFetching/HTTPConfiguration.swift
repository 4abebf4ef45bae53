// What holds for all calls of one client: whom it trusts, and how many connections it keeps. Limits of a single call
// stand in HTTPLimits.

package struct HTTPConfiguration: Sendable {
  /// Whom TLS believes. Every connection is at least TLS 1.2, and the certificate must be for the URL's host.
  package struct Trust: Sendable {
    /// PEM of the authorities that are believed, and of no others; nil for the system's.
    package var authorityFile: String?
    /// PEM files of our own certificate and its key, for servers that ask for one.
    package var clientCertificateFile: String?
    package var clientKeyFile: String?

    package init(
      authorityFile: String? = nil, clientCertificateFile: String? = nil, clientKeyFile: String? = nil
    ) {
      self.authorityFile = authorityFile
      self.clientCertificateFile = clientCertificateFile
      self.clientKeyFile = clientKeyFile
    }
  }

  package var trust = Trust()
  /// At once, to all hosts. More calls wait for a free one, and their deadlines run while they wait. Far below the
  /// 1,024 descriptors that a process usually has.
  package var mostConnections = 64
  /// At once, to one host.
  package var mostConnectionsPerHost = 16
  /// Open and unused ones that are kept for the next call.
  package var mostIdleConnections = 16
  /// An unused connection is not used again after this many seconds: many servers close theirs after 60.
  package var idleSeconds = 50
  /// No connection is used for new calls after this many seconds, so that a change of address is noticed.
  package var longestUseSeconds = 600
  package var userAgent = "mandate"

  package init() {}
}

/// The limits of one call. The defaults suit a small JSON service nearby.
package struct HTTPLimits: Sendable {
  /// From the call to its result, retries and redirects included. nil only makes sense for a stream of events.
  package var total: Duration? = .seconds(30)
  /// Name resolution, connection and TLS together.
  package var connect: Duration = .seconds(5)
  /// An answer that brings less than one byte a second for this long is given up, a silent one too; nil for models that
  /// think before they speak. Whole seconds; the guard stands still while a stream's reader is behind.
  package var silence: Duration?
  /// Status lines and header lines together, interim answers and trailers included.
  package var headerBytes = 64 << 10
  package var bodyBytes = 1 << 20

  package init() {}
}
