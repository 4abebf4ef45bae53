// How opening a grant or a field can end, in the words that the audit and the runner use.

package import Cryptography

/// Why a grant gives no key. The spellings are on the wire; `revoked` and `unknown-grant` are the database's to say.
package enum GrantRefusal: String, Sendable, CaseIterable {
  case notConfigured = "not-configured"
  case expired
  case malformed
  /// Whatever an attacker can steer inside one opening: wrong key, tampered wrap, another label, other claims.
  case wrapRejected = "wrap-rejected"
  case revoked
  case unknownGrant = "unknown-grant"
}

/// Why a field or record gives no text.
package enum FieldRefusal: String, Sendable, CaseIterable {
  case ciphertextMalformed = "ciphertext-malformed"
  case ciphertextTampered = "ciphertext-tampered-or-wrong-key"
  case decryptFailed = "decrypt-failed"
  case notSealedYet = "not-sealed-yet"
  case movedCiphertext = "moved-ciphertext"
  case notGranted = "not-granted"
}

/// A refusal is an answer; a failure of our own machine is not, and must never be reported as one.
package enum OpeningFailure<Refusal: Sendable & Equatable>: Error, Equatable {
  case refused(Refusal)
  case failed(CryptographyError)

  /// Rejected bytes become `refusal`; anything else stays a failure.
  static func from(_ error: CryptographyError, rejectedAs refusal: Refusal) -> Self {
    error == .rejected ? .refused(refusal) : .failed(error)
  }
}

package typealias GrantFailure = OpeningFailure<GrantRefusal>
package typealias FieldFailure = OpeningFailure<FieldRefusal>
