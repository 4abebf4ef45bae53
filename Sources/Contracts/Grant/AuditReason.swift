// Why a receipt was refused or came to nothing. The database takes these words and no other, and the resolver answers
// its caller with them.

package enum AuditReason: String, Sendable, Hashable, CaseIterable {
  // About the grant.
  case notConfigured = "not-configured"
  case expired
  case malformed
  case wrapRejected = "wrap-rejected"
  case revoked
  case unknownGrant = "unknown-grant"
  // About a record or one of its fields.
  case ciphertextMalformed = "ciphertext-malformed"
  case ciphertextTampered = "ciphertext-tampered-or-wrong-key"
  case decryptFailed = "decrypt-failed"
  case notSealedYet = "not-sealed-yet"
  case recordMissing = "record-missing"
  case recordNotInGrant = "record-not-in-grant-allowlist"
  case notGranted = "not-granted"
  case mediaNotOwned = "media-not-owned"
  case movedCiphertext = "moved-ciphertext"
  case unknownModule = "unknown-module"
  case batchTooLarge = "batch-too-large"

  /// The audit's word for a row that carries this reason.
  package var status: AuditStatus { self == .recordNotInGrant ? .scopeViolation : .failed }
}

package enum AuditStatus: String, Sendable, Hashable {
  case ok
  case failed
  case scopeViolation = "scope-violation"
}
