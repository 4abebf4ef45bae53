// The claims of a v2 grant as the bytes that bind them to the wrapped key: RSA-OAEP takes them as its label, so an
// unwrap under any other claims fails inside the padding check.

package import Contracts
import Cryptography

package struct GrantLabel: Hashable, Sendable {
  package let grantId: Identifier
  package private(set) var keyId: String
  package let user: Identifier
  package let mission: Identifier
  package let issuedAt: Instant
  package let expiresAt: Instant
  /// Lower-case hex SHA-256 of the scope's frame.
  package let scopeDigest: String

  package init(_ claims: GrantClaims) {
    grantId = claims.grantId
    keyId = claims.keyId
    user = claims.user
    mission = claims.mission
    issuedAt = claims.issuedAt
    expiresAt = claims.expiresAt
    scopeDigest = Self.digest(of: claims.scope)
  }

  package static func digest(of scope: Scope) -> String { Hex.encode(SHA256.digest(scope.frame.bytes)) }

  package var bytes: [UInt8] {
    var frame = Frame(reservingBytes: 384)
    frame.add(Self.domain)
    frame.add(grantId)
    frame.add(keyId)
    frame.add(user)
    frame.add(mission)
    frame.add(issuedAt.iso)
    frame.add(expiresAt.iso)
    frame.add(scopeDigest)
    return frame.bytes
  }

  /// Reads stored claims back. Each part obeys the rule that the same member of a grant's JSON obeys, and what is
  /// accepted would be written with the same bytes; nil for anything else.
  package init?(parsing bytes: [UInt8]) {
    var reader = FrameReader(bytes)
    guard reader.nextText() == Self.domain, let grantId = try? GrantV2.grantId(reader.nextText()),
      let keyId = try? GrantV2.keyId(reader.nextText()), let user = reader.nextIdentifier(),
      let mission = reader.nextIdentifier(), let issuedAt = reader.nextInstant(),
      let expiresAt = reader.nextInstant(), let digest = reader.nextText(), Hex.isLowercase(digest, count: 64),
      reader.isAtEnd
    else { return nil }
    self.grantId = grantId
    self.keyId = keyId
    self.user = user
    self.mission = mission
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
    scopeDigest = digest
    guard self.bytes == bytes else { return nil }
  }

  /// The same claims for another key of the resolver.
  func naming(keyId: String) -> GrantLabel {
    var label = self
    label.keyId = keyId
    return label
  }

  private static let domain = "mandate/v2/grant"
}

extension FrameReader {
  fileprivate mutating func nextIdentifier() -> Identifier? {
    nextText().flatMap { try? Identifier(checking: $0) }
  }

  fileprivate mutating func nextInstant() -> Instant? { nextText().flatMap { Instant(iso: $0) } }
}
