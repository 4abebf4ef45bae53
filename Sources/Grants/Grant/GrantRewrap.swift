// Moving a v2 grant from one key of the resolver to another: the same mission key under the same claims, of which only
// the key's id is another.

import Contracts
package import Cryptography
import Secrets

/// A wrap that has proved itself, and the claims that it opens under.
package struct RewrappedGrant: Sendable, Equatable {
  package let keyId: String
  package let wrappedKey: [UInt8]
  package let claims: [UInt8]
}

extension SealedGrantV2 {
  /// `keys` holds both keys. Expiry does not matter: a grant that is over stays over under any key. The new wrap is
  /// opened once before it is handed out, because it is to take the place of the only other one.
  package static func rewrap(
    _ wrapped: [UInt8], label: GrantLabel, keys: some Unwrapper, for key: RSAPublicKey
  ) throws(GrantFailure) -> RewrappedGrant {
    let missionKey = try keys.unwrapV2(wrapped: wrapped, label: label)
    let newLabel = label.naming(keyId: key.keyIdHex)
    // In a constant of its own: Swift 6.3 leaks a temporary whose Span is passed to a call that throws.
    let claims = newLabel.bytes
    let wrapped: [UInt8]
    do { wrapped = try key.encryptOAEP(missionKey.secret.bytes, label: claims.span) } catch { throw .failed(error) }
    let again: MissionKeyV2
    do { again = try keys.unwrapV2(wrapped: wrapped, label: newLabel) } catch {
      throw .failed(.broken("a new wrap does not open with the key that it was made for"))
    }
    guard again.equals(missionKey.secret.bytes) else {
      throw .failed(.broken("a new wrap opens to another key than the one that was wrapped"))
    }
    return RewrappedGrant(keyId: newLabel.keyId, wrappedKey: wrapped, claims: claims)
  }
}
