// The form of a token (RFC 7515, 7519): three parts, a header that asks for the one algorithm there is, and claims that
// nobody has vouched for yet.

import Contracts

/// A token that has the right form, and that still says nothing.
struct ReadToken: Sendable {
  let keyID: String
  /// The bytes that were signed: header, dot, claims, as they came.
  let signed: [UInt8]
  let signature: [UInt8]
  fileprivate let claims: JSONObject

  /// The one algorithm. The header only has to agree: it never chooses.
  static let algorithm = "EdDSA"
  static let signatureBytes = 64

  init(_ token: String) throws(TokenRefusal) {
    guard token.utf8.count <= IdentityConfiguration.longestToken else { throw .tooLong }
    let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Array.init)
    guard parts.count == 3 else { throw .malformed }
    let header = try Self.object(parts[0])
    keyID = try Self.keyID(of: header)
    claims = try Self.object(parts[1])
    let last = parts[2]
    guard let signature = Base64URL.decode(last.span), signature.count == Self.signatureBytes else {
      throw .malformed
    }
    self.signature = signature
    signed = parts[0] + [UInt8(ascii: ".")] + parts[1]
  }

  /// Keys that a token brings along (`jwk`, `jku`, `x5c`, `x5u`) are never looked at.
  private static func keyID(of header: JSONObject) throws(TokenRefusal) -> String {
    guard let algorithm = header["alg"], algorithm == .string(Self.algorithm) else { throw .wrongAlgorithm }
    // What must be understood (`crit`) is not, and an unencoded payload (`b64`) is not what was signed here.
    guard header["crit"] == nil, header["b64"] == nil else { throw .unsupportedHeader }
    if let type = header["typ"] {
      // Other kinds of signed tokens (`dpop+jwt`, `logout+jwt`) must not pass for one that lets somebody in.
      guard let text = type.text, ["jwt", "at+jwt"].contains(text.lowercased()) else { throw .unsupportedHeader }
    }
    guard let keyID = header["kid"]?.text, !keyID.isEmpty else { throw .noKeyID }
    return keyID
  }

  private static func object(_ part: [UInt8]) throws(TokenRefusal) -> JSONObject {
    guard let text = Base64URL.decode(part.span) else { throw .malformed }
    do {
      guard case .object(let object) = try JSONValue(parsing: text.span, duplicateKeys: .refused) else {
        throw TokenRefusal.malformed
      }
      return object
    } catch JSONProblem.duplicateKey {
      throw .duplicateMember
    } catch {
      throw .malformed
    }
  }
}

/// A token whose signature holds: whoever has the key said this. Only `proven(by:)` makes one.
struct ProvenToken: Sendable {
  let claims: JSONObject

  fileprivate init(_ claims: JSONObject) { self.claims = claims }
}

extension ReadToken {
  func proven(by key: VerificationKey) throws(TokenRefusal) -> ProvenToken {
    guard key.verifies(signature, of: signed) else { throw .wrongSignature }
    return ProvenToken(claims)
  }
}
