// Who is calling. A Principal is only made by `TokenAuthority`, out of a token whose signature and claims held.

package import Contracts
package import ServiceRuntime

package struct Principal: Sendable, Equatable {
  /// 1 to 256 bytes without control characters; the id under which everything of this user is stored.
  package let user: Identifier
  /// The token's own end: work that outlives it is not this caller's any more.
  package let expires: Moment

  init(user: Identifier, expires: Moment) {
    self.user = user
    self.expires = expires
  }
}

/// What a caller may know about a refusal: that it was one. The reason goes to whoever watches.
package struct Unauthenticated: Error, Equatable, Sendable {
  init() {}
}

/// Why, for a log line or the label of a metric: a closed set, and nothing of the token in it.
package enum TokenRefusal: String, Sendable, CaseIterable, Error {
  /// No `Authorization` header, or one that does not begin with `Bearer `.
  case noBearer = "no-bearer"
  case tooLong = "too-long"
  /// Not three parts of canonical base64url with JSON objects in the first two.
  case malformed
  /// A member that stands twice, wherever it is.
  case duplicateMember = "duplicate-member"
  /// Any `alg` but `EdDSA`.
  case wrongAlgorithm = "wrong-algorithm"
  /// `crit`, `b64`, or a `typ` that is not a JWT's.
  case unsupportedHeader = "unsupported-header"
  case noKeyID = "no-key-id"
  case unknownKey = "unknown-key"
  /// There are no keys: the source has not answered yet, or not for too long.
  case noKeys = "no-keys"
  case wrongSignature = "wrong-signature"
  case wrongIssuer = "wrong-issuer"
  case wrongAudience = "wrong-audience"
  case unusableSubject = "unusable-subject"
  /// `exp` is missing, or `exp`, `nbf` or `iat` is not a whole number of a possible time.
  case unusableTime = "unusable-time"
  case expired
  /// `nbf` or `iat` lies in the future.
  case notYetValid = "not-yet-valid"
}
