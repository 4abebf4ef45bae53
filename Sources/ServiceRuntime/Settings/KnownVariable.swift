// The one list of environment variables. Whoever wants to read a variable adds it here first, executables and tests
// alike; a name that begins with MANDATE_ and is not here stops the start, because it is a setting somebody believes in.

package enum KnownVariable: String, CaseIterable, Sendable {
  // Data
  case databaseURL = "MANDATE_DATABASE_URL"
  case databasePooler = "MANDATE_DATABASE_POOLER"
  case databaseConnections = "MANDATE_DATABASE_CONNECTIONS"
  case postgresPrograms = "MANDATE_POSTGRES_PROGRAMS"

  // Keys
  case resolverPublicKey = "MANA_AI_PUBLIC_KEY_PEM"
  case resolverPrivateKey = "MANA_AI_PRIVATE_KEY_PEM"

  // Every service
  case stage = "MANDATE_STAGE"
  case logLevel = "MANDATE_LOG_LEVEL"
  case publicListen = "MANDATE_PUBLIC_LISTEN"
  case internalListen = "MANDATE_INTERNAL_LISTEN"
  case publicCertificate = "MANDATE_PUBLIC_TLS_CERTIFICATE"
  case publicCertificateKey = "MANDATE_PUBLIC_TLS_KEY"
  case internalCertificate = "MANDATE_INTERNAL_TLS_CERTIFICATE"
  case internalCertificateKey = "MANDATE_INTERNAL_TLS_KEY"
  case internalClientAuthority = "MANDATE_INTERNAL_TLS_CLIENT_CA"
  case trustedProxies = "MANDATE_TRUSTED_PROXIES"
  case corsOrigins = "MANDATE_CORS_ORIGINS"
  case serviceKey = "MANA_SERVICE_KEY"
  case formerServiceKey = "MANDATE_FORMER_SERVICE_KEY"
  case serviceUsers = "MANDATE_SERVICE_UIDS"
  case drainTime = "MANDATE_DRAIN_MS"

  // The issuer
  case keyEncryptionKey = "MANA_AUTH_KEK"
  case formerKeyEncryptionKeys = "MANDATE_KEK_FORMER"
  case readsEnvironmentWraps = "MANDATE_KEK_ENV_V1"
  case issuesV1 = "MANDATE_ISSUE_V1"

  // Users' tokens
  case tokenIssuer = "MANDATE_TOKEN_ISSUER"
  case tokenAudience = "MANDATE_TOKEN_AUDIENCE"
  case tokenKeysURL = "MANDATE_JWKS_URL"
  case tokenKeysFile = "MANDATE_JWKS_FILE"

  // The resolver
  case resolverKeyFolder = "MANDATE_RESOLVER_KEYS"
  case acceptsV1 = "MANDATE_ACCEPT_V1"
  case resolveTime = "MANDATE_RESOLVE_MS"
  case resolveBatches = "MANDATE_RESOLVE_BATCHES"

  // Tests and the vector tool
  case vectors = "MANDATE_VECTORS"
  case publishedVectors = "MANDATE_WYCHEPROOF"
  case cache = "MANDATE_CACHE"
  case soakRounds = "MANDATE_SOAK_ROUNDS"
  case exampleFile = "MANDATE_EXAMPLE_FILE"

  /// How the value reaches us, and what may be done with it on the way.
  package enum Form: Sendable {
    /// A short text; may be shown in help and in errors.
    case text
    /// Inline or through `NAME_FILE`; goes from the environment into locked memory and is never shown.
    case secret
    /// Public, but too long for a line: inline or through `NAME_FILE`.
    case document
  }

  package var form: Form {
    switch self {
    // A database URL carries the password of its role.
    case .databaseURL, .resolverPrivateKey, .serviceKey, .formerServiceKey, .keyEncryptionKey, .formerKeyEncryptionKeys:
      .secret
    case .resolverPublicKey: .document
    // SecretSetting and DocumentSetting take no variable of another form, so none can be forgotten here.
    default: .text
    }
  }

  /// Names that existing installations already have, in the order in which they are tried after our own.
  package var olderNames: [String] {
    switch self {
    case .databaseURL: ["SYNC_DATABASE_URL", "DATABASE_URL"]
    // Servers of the former system set this one.
    case .stage: ["NODE_ENV"]
    case .tokenIssuer: ["BASE_URL"]
    case .tokenAudience: ["JWT_AUDIENCE"]
    default: []
    }
  }

  /// What the variable is for, for a reader of this list; the reason of its limits stands where it is declared.
  package var purpose: String {
    switch self {
    case .databaseURL: "The PostgreSQL database and the role that this process logs in as."
    case .databasePooler: "What stands between this process and the database that its URL names."
    case .databaseConnections: "How many connections to the database this process opens at most."
    case .postgresPrograms: "The folder with initdb and pg_ctl, for a private cluster."
    case .resolverPublicKey: "The public half of the resolver's key, for which the issuer wraps mission keys."
    case .resolverPrivateKey: "The private half of the resolver's key; no other process may have it."
    case .stage: "Whether this is production, a developer's desk or a test."
    case .publicListen: "Where the routes for users are served."
    case .internalListen: "Where the routes for services and operators are served."
    case .publicCertificate: "The PEM file with the certificate of the public listener, leaf first."
    case .publicCertificateKey: "The PEM file with its private key."
    case .internalCertificate: "The PEM file with the certificate of the internal listener, leaf first."
    case .internalCertificateKey: "The PEM file with its private key."
    case .internalClientAuthority: "The PEM file with the authorities that sign callers' certificates."
    case .trustedProxies: "The networks of proxies whose X-Forwarded-For counts."
    case .corsOrigins: "The web origins whose pages may call the public routes."
    case .serviceKey: "What other services send in X-Service-Key."
    case .formerServiceKey: "The service key before this one, while callers change over."
    case .serviceUsers: "The users of this machine that may call over a Unix socket without a key."
    case .drainTime: "How long requests in flight may take after SIGTERM."
    case .keyEncryptionKey: "The key that master keys are wrapped under; no other process may have it."
    case .formerKeyEncryptionKeys: "Keys that stored master keys may still be wrapped under, separated by commas."
    case .readsEnvironmentWraps: "Whether wraps of the former system, which name no key, are still read."
    case .issuesV1: "Whether grants of the former system's kind are issued to clients that ask for one."
    case .tokenIssuer: "Who signs users' tokens, as their `iss` says it."
    case .tokenAudience: "For whom users' tokens are, as their `aud` says it."
    case .tokenKeysURL: "Where the public keys are published that users' tokens are signed with."
    case .tokenKeysFile: "The file with those keys, where they are not fetched."
    case .logLevel: "The least serious log lines that are still written."
    case .resolverKeyFolder: "The folder with the resolver's private keys, current and former."
    case .acceptsV1: "Whether grants of the former system are still honoured."
    case .resolveTime: "How long a batch may take."
    case .resolveBatches: "Batches in work at once."
    case .vectors: "A further folder of test vectors that the tests verify."
    case .cache: "The folder that keeps published vectors between runs; read by a script, not by us."
    case .soakRounds: "How many times as many rounds the races of the tests run."
    case .exampleFile: "The file that the example service in the tests looks at."
    case .publishedVectors: "A folder of Project Wycheproof's vectors that the tests verify."
    }
  }

  package static let prefix = "MANDATE_"

  package var names: [String] { [rawValue] + olderNames }

  /// The variable that names a file to read the value from, for forms that may come from one.
  package static func fileName(for name: String) -> String { name + "_FILE" }

  /// The name to write into a service's environment for a value that lies in a file.
  package var fileVariable: String {
    precondition(form != .text, "a short text has no file variable")
    return Self.fileName(for: rawValue)
  }
}

extension KnownVariable {
  /// What a name in the environment means to us.
  enum Meaning: Sendable {
    case value(Form)
    case file
  }

  /// Every name that is read at all, files included. Raw values are unique by the compiler; a test keeps older names
  /// and file names from meeting them.
  static let meanings: [String: Meaning] = {
    var meanings: [String: Meaning] = [:]
    for variable in allCases {
      for name in variable.names {
        meanings[name] = .value(variable.form)
        if variable.form != .text { meanings[fileName(for: name)] = .file }
      }
    }
    return meanings
  }()
}
