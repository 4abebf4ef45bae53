// What a token must say to be believed.

package struct IdentityConfiguration: Sendable {
  /// The token's `iss` must be one of these, byte for byte.
  package let issuers: [String]
  /// The token's `aud`, a text or a list, must name one of these, byte for byte.
  package let audiences: [String]
  /// How far ahead of ours the clock of whoever signs may be, for `nbf` and `iat`. `exp` gets none: a token that has
  /// ended by our clock has ended. Five seconds is also what /ready forgives the clock of the database.
  package var leewaySeconds = 5

  package init(issuers: [String], audiences: [String]) {
    precondition(!issuers.isEmpty && !audiences.isEmpty, "a token must be from somebody and for somebody")
    self.issuers = issuers
    self.audiences = audiences
  }

  /// A token of the seeds' system has half a KiB. It is cut before anything of it is decoded.
  package static let longestToken = 8 << 10
  /// Members of `aud` that are looked at; a longer list is no audience.
  static let mostAudiences = 64
}
