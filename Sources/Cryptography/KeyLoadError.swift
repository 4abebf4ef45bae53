// Why a key file was refused, and what to type about it. Operators meet these sentences before any other of ours.

package enum KeyKind: String, Equatable, Sendable {
  case rsa = "RSA"
  case rsaPSS = "RSA-PSS"
  case rsaOAEP = "RSA-OAEP"
  case ed25519 = "Ed25519"
  case ellipticCurve = "elliptic-curve"
  case certificate = "certificate"
  case other = "other"
}

extension KeyKind {
  /// What OpenSSL calls the kinds that can be asked for.
  var openSSLName: StaticString {
    switch self {
    case .rsa: "RSA"
    case .rsaPSS, .rsaOAEP: "RSA-PSS"
    case .ed25519: "ED25519"
    case .ellipticCurve: "EC"
    case .certificate, .other: ""
    }
  }
}

package enum KeyLoadError: Error, Equatable, CustomStringConvertible {
  case empty
  /// More text than any key of ours has.
  case tooLong
  case notBase64
  /// Backslash and `n` where line ends belong.
  case escapedNewlines
  /// The whole PEM text encoded once more.
  case base64WrappedPEM
  /// Bytes or a second key behind the first.
  case trailingData
  /// Not the DER of any key that OpenSSL knows.
  case malformed
  /// A private key as PKCS#1 (`BEGIN RSA PRIVATE KEY`).
  case pkcs1
  /// A public key as PKCS#1 (`BEGIN RSA PUBLIC KEY`).
  case pkcs1Public
  case encrypted
  case publicInsteadOfPrivate
  case privateInsteadOfPublic
  case wrongType(found: KeyKind, wanted: KeyKind)
  case tooSmall(bits: Int)
  case tooLarge(bits: Int)
  case oddExponent
  /// The door itself failed: no locked memory, or a broken OpenSSL.
  case door(CryptographyError)
}
