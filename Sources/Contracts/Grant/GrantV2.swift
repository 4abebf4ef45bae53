// A v2 grant: the same shape as v1 with more members, read strictly. Every value in it is either part of the RSA
// label or derived from one that is, so changing any of them makes the unwrap itself fail.

/// What the issuer promises and the label proves.
package struct GrantClaims: Hashable, Sendable {
  package let grantId: Identifier
  package let keyId: String
  package let user: Identifier
  package let mission: Identifier
  package let scope: Scope
  package let issuedAt: Instant
  package let expiresAt: Instant

  package init(
    grantId: Identifier, keyId: String, user: Identifier, mission: Identifier, scope: Scope, issuedAt: Instant,
    expiresAt: Instant
  ) {
    self.grantId = grantId
    self.keyId = keyId
    self.user = user
    self.mission = mission
    self.scope = scope
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
  }
}

package enum GrantShapeProblem: Error, Equatable {
  /// Not a JSON object, or `derivation.version` is not `v2`.
  case notVersion2
  /// A member is missing, of the wrong type or not spelled as the format asks.
  case member(String)
  case scope(ScopeProblem)
}

package struct GrantV2: Hashable, Sendable {
  package let claims: GrantClaims
  package let wrappedKey: [UInt8]

  package init(claims: GrantClaims, wrappedKey: [UInt8]) {
    self.claims = claims
    self.wrappedKey = wrappedKey
  }

  package init(_ json: JSONValue) throws(GrantShapeProblem) {
    guard let grant = json.object, let derivation = grant["derivation"]?.object,
      derivation["version"] == .string("v2")
    else { throw .notVersion2 }
    guard let tables = derivation["tables"]?.texts else { throw .member("derivation.tables") }
    guard let recordIds = derivation["recordIds"]?.texts else { throw .member("derivation.recordIds") }
    let scope: Scope
    do { scope = try Scope(tables: tables, recordIds: recordIds) } catch { throw .scope(error) }
    wrappedKey = try Self.wrappedKey(grant["wrappedKey"]?.text)
    claims = GrantClaims(
      grantId: try Self.grantId(grant["grantId"]?.text),
      keyId: try Self.keyId(grant["keyId"]?.text),
      user: try Self.identifier(derivation["userId"]?.text, "derivation.userId"),
      mission: try Self.identifier(derivation["missionId"]?.text, "derivation.missionId"),
      scope: scope,
      issuedAt: try Self.instant(grant["issuedAt"]?.text, "issuedAt"),
      expiresAt: try Self.instant(grant["expiresAt"]?.text, "expiresAt"))
  }

  package var json: JSONValue {
    .object(
      JSONObject(members: [
        ("wrappedKey", .string(Base64.encode(wrappedKey.span))),
        ("keyId", .string(claims.keyId)),
        ("grantId", .string(claims.grantId.text)),
        (
          "derivation",
          .object(
            JSONObject(members: [
              ("version", .string("v2")),
              ("userId", .string(claims.user.text)),
              ("missionId", .string(claims.mission.text)),
              ("tables", .array(claims.scope.tables.map(JSONValue.string))),
              ("recordIds", .array(claims.scope.recordIds.map(JSONValue.string))),
            ]))
        ),
        ("issuedAt", .string(claims.issuedAt.iso)),
        ("expiresAt", .string(claims.expiresAt.iso)),
      ]))
  }

  // MARK: The one spelling of each member

  private static func wrappedKey(_ text: String?) throws(GrantShapeProblem) -> [UInt8] {
    guard let text, case let characters = Array(text.utf8), let bytes = Base64.decodeStrict(characters.span) else {
      throw .member("wrappedKey")
    }
    return bytes
  }

  /// A lower-case UUID, the way PostgreSQL prints one.
  package static func grantId(_ text: String?) throws(GrantShapeProblem) -> Identifier {
    let groups = text?.split(separator: "-", omittingEmptySubsequences: false) ?? []
    guard let text, groups.count == 5,
      zip(groups, [8, 4, 4, 4, 12]).allSatisfy({ Hex.isLowercase(String($0), count: $1) })
    else { throw .member("grantId") }
    return Identifier(text)
  }

  package static func keyId(_ text: String?) throws(GrantShapeProblem) -> String {
    guard let text, Hex.isLowercase(text, count: 32) else { throw .member("keyId") }
    return text
  }

  private static func identifier(_ text: String?, _ name: String) throws(GrantShapeProblem) -> Identifier {
    guard let text, let identifier = try? Identifier(checking: text) else { throw .member(name) }
    return identifier
  }

  /// Only the form we write ourselves: the label is made over these characters.
  private static func instant(_ text: String?, _ name: String) throws(GrantShapeProblem) -> Instant {
    guard let text, let instant = Instant(iso: text), instant.iso == text else { throw .member(name) }
    return instant
  }
}
