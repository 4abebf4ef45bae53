// One sentence and one command for every way in which a key file can be wrong. The commands name the file that was
// given `key.pem`, and leave private keys readable by their owner alone; a test runs them and loads what they make.

extension KeyLoadError {
  package var description: String { advice }

  /// The sentence, then the command to run.
  package var advice: String { "\(sentence) Run: \(command)" }

  var sentence: String {
    switch self {
    case .empty: "There is no key in this text."
    case .tooLong: "This text is far longer than a key."
    case .notBase64:
      "The key's text is not base64; look for quotes, comments, cut lines or the url-safe letters - and _."
    case .escapedNewlines: "The text has backslash-n where it needs line ends."
    case .base64WrappedPEM: "The PEM text was encoded in base64 once more."
    case .trailingData: "There is something behind the key; a file holds one key and nothing else."
    case .malformed: "The bytes are not a key in the form that is wanted (PKCS#8 or SPKI); the file is damaged."
    case .pkcs1: "This is a PKCS#1 key (BEGIN RSA PRIVATE KEY); PKCS#8 is wanted (BEGIN PRIVATE KEY)."
    case .pkcs1Public: "This is a PKCS#1 key (BEGIN RSA PUBLIC KEY); SPKI is wanted (BEGIN PUBLIC KEY)."
    case .encrypted: "The private key is encrypted; it is wanted without a passphrase, in a file of mode 0600."
    case .publicInsteadOfPrivate: "This is a public key where the private one is wanted."
    case .privateInsteadOfPublic: "This is a private key where the public one is wanted; it does not belong here."
    case .wrongType(let found, let wanted): "This is \(found.article); \(wanted.article) is wanted."
    case .tooSmall(let bits): "This RSA key has \(bits) bits; 2048 to 4096 are accepted."
    case .tooLarge(let bits): "This RSA key has \(bits) bits; 2048 to 4096 are accepted."
    case .oddExponent: "The public exponent of this RSA key is not 65537."
    case .door(let error): "The key could not be loaded: \(error)."
    }
  }

  var command: String {
    switch self {
    case .empty, .tooLong, .malformed, .tooSmall, .tooLarge, .oddExponent: Self.generate
    case .notBase64, .trailingData:
      "openssl pkey -in key.pem -out fixed.pem || openssl pkey -pubin -in key.pem -out fixed.pem"
    case .escapedNewlines: "(umask 077; printf '%b' \"$(cat key.pem)\" > fixed.pem)"
    case .base64WrappedPEM: "(umask 077; base64 -d key.pem > fixed.pem)"
    case .pkcs1: "openssl pkcs8 -topk8 -nocrypt -in key.pem -out private.pem"
    case .pkcs1Public: "openssl rsa -RSAPublicKey_in -in key.pem -pubout -out public.pem"
    case .encrypted: "openssl pkey -in key.pem -out private.pem"
    case .publicInsteadOfPrivate: "mandate keys list"
    case .privateInsteadOfPublic: "openssl pkey -in key.pem -pubout -out public.pem"
    case .wrongType(.certificate, _): "openssl x509 -in key.pem -noout -pubkey > public.pem"
    case .wrongType(_, .ed25519): "openssl genpkey -algorithm ed25519 -out private.pem"
    case .wrongType: Self.generate
    case .door(.outOfLockedMemory): "ulimit -l 8192"
    case .door: "openssl list -providers"
    }
  }

  private static let generate = "mandate keys generate --bits 2048"
}

extension KeyKind {
  var article: String {
    switch self {
    case .rsa, .rsaPSS, .rsaOAEP, .ed25519, .ellipticCurve: "an \(rawValue) key"
    case .certificate: "a certificate"
    case .other: "a key of another kind"
    }
  }
}
