// The plan of the house: which rooms there may be, on which floor, who may use what. Every rule reads this one page;
// a new room, door or permission is a line here, in the same change that needs it.

enum Plan {
  /// Rooms that later steps build stand here already, so that they arrive on the floor that was meant for them. The
  /// C libraries are the ground below: nothing of ours is in them, and Secrets stands on one of them.
  static let floors: [Int: Set<String>] = [
    -1: ["CLinux", "COpenSSL", "CPostgres", "CLibevent", "CCurl"],
    0: ["Contracts", "Secrets", "Threads"],
    1: ["Cryptography", "Postgres", "HTTPServing", "HTTPFetching", "ServiceRuntime"],
    2: ["Grants", "Missions", "Store", "Identity", "LanguageModel", "ServiceHost"],
    3: ["Vault"],
    4: [
      "GrantIssuer", "InputResolver", "MissionRunner", "Operator", "VectorChecks", "Development", "Personas",
      "Reflection",
    ],
    5: [
      "mandate", "mandate-issuer", "mandate-resolver", "mandate-runner", "mandate-vectors", "mandate-dev",
      "mandate-personas", "mandate-reflect",
    ],
  ]

  static func floor(of target: String) -> Int? { floors.first { $0.value.contains(target) }?.key }

  /// The four reasons for which a target may exist, and the floors on which each is the right one. Executables need
  /// none: they are where a process is entered.
  static let reasons: [String: Set<Int>] = [
    "door": [-1, 0, 1], "vault": [0, 3], "agreement": [0, 2], "process": [4],
  ]

  /// What every Swift target, tests included, is compiled with.
  static let settings: Set<String> = [
    "enableUpcomingFeature(ExistentialAny)", "enableUpcomingFeature(InternalImportsByDefault)",
    "enableUpcomingFeature(MemberImportVisibility)", "enableExperimentalFeature(Lifetimes)", "strictMemorySafety",
    "treatAllWarnings(error)",
  ]

  // MARK: Trust

  /// What must not be reachable from a room, whatever stands between. The link graph is the trust diagram: a process
  /// cannot leak what it was never linked with.
  static let mustNotReach: [String: Set<String>] = [
    "MissionRunner": ["Grants", "Vault", "Cryptography", "Identity"],
    "mandate-runner": ["Grants", "Vault", "Cryptography", "Identity"],
    "InputResolver": ["LanguageModel", "HTTPFetching", "CCurl"],
    "mandate-resolver": ["LanguageModel", "HTTPFetching", "CCurl"],
    "GrantIssuer": ["LanguageModel"],
    "VectorChecks": ["Postgres", "Store", "Identity", "HTTPServing", "HTTPFetching"],
    "Store": ["Cryptography", "COpenSSL", "Grants"],
    // Who is calling is decided on what a token says, never on how it came.
    "Identity": ["HTTPServing", "CLibevent", "Postgres", "Store", "Grants"],
  ]

  /// The one file that may make the proof that a release of key shares is on the log.
  static let receiptMaker = "Sources/Store/Receipts/AuditReceipt.swift"

  /// Rooms that only these may reach; everyone else, rooms that are not built yet included, may not.
  static let reachableOnlyFrom: [String: Set<String>] = [
    "Vault": ["GrantIssuer", "mandate-issuer"],
    // Stand-ins for services belong to developers and demos, so nothing that ships may contain one.
    "Development": ["mandate-dev"],
  ]

  /// Rooms that may use nothing but what stands here.
  static let mayUseOnly: [String: Set<String>] = [
    "Contracts": [],
    "Secrets": ["CLinux"],
    "Threads": [],
    "Missions": ["Contracts"],
    // A client that knows no service of ours.
    "HTTPFetching": ["CCurl", "CLinux", "Secrets", "Threads"],
  ]

  // MARK: Doors

  /// A C library: the only rooms that may import it, and what the names of its functions begin with. HTTPServing
  /// needs OpenSSL for TLS contexts only.
  struct Door {
    let module: String
    let rooms: Set<String>
    let symbolPrefixes: [String]
  }

  static let doors = [
    Door(module: "CLinux", rooms: ["Secrets", "ServiceRuntime"], symbolPrefixes: []),
    Door(
      module: "COpenSSL", rooms: ["Cryptography", "HTTPServing"],
      symbolPrefixes: ["EVP_", "RSA_", "OPENSSL_", "CRYPTO_", "OSSL_", "RAND_", "SSL_", "X509_"]),
    Door(module: "CPostgres", rooms: ["Postgres"], symbolPrefixes: ["PQ"]),
    Door(
      module: "CLibevent", rooms: ["HTTPServing"], symbolPrefixes: ["evhttp_", "event_", "evbuffer_", "bufferevent_"]),
    Door(module: "CCurl", rooms: ["HTTPFetching"], symbolPrefixes: ["curl_"]),
  ]

  /// What the client must tell libcurl, and must tell it nowhere otherwise: that certificates are checked, for the host,
  /// and by the named authorities alone; that redirects and netrc files are not its own idea.
  static let pinnedOptions = [
    "CURLOPT_SSL_VERIFYPEER": "1", "CURLOPT_SSL_VERIFYHOST": "2", "CURLOPT_FOLLOWLOCATION": "0", "CURLOPT_NETRC": "0",
    "CURLOPT_HTTP09_ALLOWED": "0", "CURLOPT_DISALLOW_USERNAME_IN_URL": "1", "CURLOPT_CAPATH": "nil",
  ]

  /// Where pointers may be touched.
  static let unsafeRooms: Set<String> = [
    "Secrets", "Threads", "Cryptography", "Postgres", "HTTPServing", "HTTPFetching", "ServiceRuntime",
  ]

  static let environmentRooms: Set<String> = ["ServiceRuntime"]

  /// Modules of the toolchain that a room may import. Whatever is not here is a decision that has not been made.
  static let toolchainModules: Set<String> = ["Glibc", "Musl", "Synchronization"]
  /// The whole of Foundation brings ICU with it; only these two need its time zones.
  static let foundationRooms: Set<String> = ["MissionRunner", "Development"]
  /// Values and rules that must mean the same everywhere take nothing from a library that changes.
  static let noFoundationRooms: Set<String> = ["Contracts", "Secrets", "Threads", "Missions"]

  // MARK: Binaries

  /// Symbols that an executable must not contain even where the link graph would allow them: HTTPServing may bring
  /// TLS contexts into the runner, but never a key operation.
  static let forbiddenSymbols: [String: [String]] = ["mandate-runner": ["EVP_", "RSA_"]]

  // MARK: Repository

  static let longestFile = 400
  /// An executable's target is the entry alone; what it does is a room on floor 4.
  static let longestEntry = 40

  static let topLevel: Set<String> = [
    ".ci", ".editorconfig", ".gitattributes", ".gitignore", ".swift-format", "Benchmarks", "CHANGELOG.md",
    "CONTRIBUTING.md", "Fuzz", "LICENSE", "Makefile", "Package.swift", "README.md", "SECURITY.md", "STYLE.md",
    "Scripts", "Sources", "Tests", "Vectors", "docs", "keys", "ops",
  ]

  static let makeTargets = ["deps", "build", "test", "lint", "bench", "fuzz", "demo", "docs"]
}
