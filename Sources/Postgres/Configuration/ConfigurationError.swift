// What is wrong with a connection URL. No case quotes the URL: it may hold a password, and libpq's own complaint
// about a URL it cannot read quotes the part it stumbled over.

package enum ConfigurationError: Error, Sendable, Equatable {
  /// Not a `postgres://` or `postgresql://` URL that libpq can read.
  case malformed
  /// A member that has no business in our configuration, by its name.
  case unknownMember(String)
  /// A member that must be there.
  case missing(String)
  /// A member's value that cannot be.
  case invalid(String)
  /// `sslmode` allow and prefer fall back to plain text whenever somebody in between asks for it.
  case weakTLS
  /// A host on the network and no word about TLS: say `sslmode=verify-full`, or `disable` if that is meant.
  case tlsUnstated
  /// verify-ca and verify-full need `sslrootcert`.
  case missingRootCertificate
  /// `options` reaches the pooler's connection, which others share.
  case optionsBehindPooler
  /// The password is both in the URL and given apart, or in the URL and in a file.
  case twoPasswords
  /// A variable of libpq's own is set and would change the connection behind the configuration's back.
  case environment(String)
}

extension ConfigurationError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .malformed: "the database URL must begin with postgres:// and be readable by libpq"
    case .unknownMember(let name): "the database URL has a member that is not supported: \(name)"
    case .missing(let name): "the database URL lacks its \(name)"
    case .invalid(let name): "the database URL has an impossible value for \(name)"
    case .weakTLS: "sslmode must be disable, require, verify-ca or verify-full; allow and prefer protect nothing"
    case .tlsUnstated: "the database is on the network: say sslmode=verify-full, or sslmode=disable if that is meant"
    case .missingRootCertificate: "sslmode verify-ca and verify-full need sslrootcert"
    case .optionsBehindPooler: "options cannot be used behind a pooler in transaction mode"
    case .twoPasswords: "the database password is given twice"
    case .environment(let variable): "the environment variable \(variable) is set and libpq would obey it; unset it"
    }
  }
}
