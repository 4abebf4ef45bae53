// swift-tools-version: 6.2
// The map of the house. Floors stand in order, arrows only go down. Every target names the one reason it may
// exist: door (the only way to a C library), vault (keeps a secret's type private), process (one executable's
// logic), agreement (two processes must spell something the same way). docs/architecture.md draws the whole
// house; rooms that are not built yet stand there, not here. HouseTests hold this file to what it says.
import PackageDescription

let house: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),  // Spans that are borrowed from a secret may not outlive it.
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "mandate",
  products: [
    .executable(name: "mandate", targets: ["mandate"]),
    .executable(name: "mandate-issuer", targets: ["mandate-issuer"]),
    .executable(name: "mandate-resolver", targets: ["mandate-resolver"]),
    .executable(name: "mandate-vectors", targets: ["mandate-vectors"]),
    .executable(name: "mandate-dev", targets: ["mandate-dev"]),
  ],
  targets: [
    // ── Floor 0 · leaves ────────────────────────────────────────────────────────────────────────────────────
    // agreement: the bytes that another process, a stored row or a published vector must match.
    .target(name: "Contracts", swiftSettings: house),
    // door: the parts of libc that the toolchain's module leaves out.
    .systemLibrary(name: "CLinux"),
    // vault: the one memory that keys live in; libc only.
    .target(name: "Secrets", dependencies: ["CLinux"], swiftSettings: house),
    // door: the system's threads, for what must not run on the cooperative ones.
    .target(name: "Threads", swiftSettings: house),
    // door: OpenSSL 3's headers and the shims for its macros.
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    // door: libpq's header and the few calls of Linux by which its sockets are watched.
    .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    // door: libevent's evhttp, and the calls of Linux around its sockets.
    .systemLibrary(name: "CLibevent", pkgConfig: "libevent_openssl", providers: [.apt(["libevent-dev"])]),
    // door: libcurl's headers and a shim for each kind of argument that its options take.
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),

    // ── Floor 1 · doors ─────────────────────────────────────────────────────────────────────────────────────
    // door: OpenSSL; knows no format of ours.
    .target(name: "Cryptography", dependencies: ["COpenSSL", "Secrets"], swiftSettings: house),
    // door: libpq; knows no table of ours.
    .target(name: "Postgres", dependencies: ["CPostgres", "Secrets", "Threads"], swiftSettings: house),
    // door: libevent's evhttp, with OpenSSL for TLS contexts only; knows no route of ours.
    .target(name: "HTTPServing", dependencies: ["CLibevent", "COpenSSL", "Secrets", "Threads"], swiftSettings: house),
    // door: libcurl; knows no service of ours.
    .target(name: "HTTPFetching", dependencies: ["CCurl", "Secrets", "Threads"], swiftSettings: house),
    // door: the process itself: environment, secret files, log, hardening.
    .target(name: "ServiceRuntime", dependencies: ["Secrets", "Threads"], swiftSettings: house),

    // ── Floor 2 · agreements ────────────────────────────────────────────────────────────────────────────────
    // agreement: issuer and resolver must derive, seal and open alike.
    .target(name: "Grants", dependencies: ["Contracts", "Cryptography", "Secrets"], swiftSettings: house),

    // agreement: every service must find the same tables, roles and functions, so all SQL is here.
    .target(
      name: "Store", dependencies: ["Contracts", "Postgres", "ServiceRuntime"],
      resources: [.embedInCode("Bootstrap"), .embedInCode("Migrations"), .embedInCode("Proof")],
      swiftSettings: house),

    // agreement: issuer and every service that users call must read a token alike; bearer token to principal.
    .target(
      name: "Identity", dependencies: ["Contracts", "Cryptography", "HTTPFetching", "Secrets", "ServiceRuntime"],
      swiftSettings: house),

    // agreement: runner, resolver and vectors must fold, format and plan alike; pure.
    .target(name: "Missions", dependencies: ["Contracts"], swiftSettings: house),

    // agreement: every service must start, answer for itself, log its requests and end alike.
    .target(
      name: "ServiceHost", dependencies: ["Contracts", "HTTPServing", "Secrets", "ServiceRuntime"],
      swiftSettings: house),

    // ── Floor 3 · the vault ─────────────────────────────────────────────────────────────────────────────────
    // vault: key encryption keys and master keys; their types are its own, and only the issuer links it.
    .target(
      name: "Vault", dependencies: ["Contracts", "Cryptography", "Grants", "Secrets"], swiftSettings: house),

    // ── Floor 4 · processes ─────────────────────────────────────────────────────────────────────────────────
    // process: the operator's command.
    .target(
      name: "Operator",
      dependencies: ["Contracts", "Cryptography", "Grants", "Postgres", "Secrets", "ServiceRuntime", "Store"],
      swiftSettings: house),
    // process: vaults, consent, grants and their end.
    .target(
      name: "GrantIssuer",
      dependencies: [
        "Contracts", "Cryptography", "Grants", "HTTPFetching", "HTTPServing", "Identity", "Missions", "Postgres",
        "Secrets", "ServiceHost", "ServiceRuntime", "Store", "Vault",
      ], resources: [.embedInCode("Description/openapi.json")], swiftSettings: house),
    // process: opens what was granted, once per tick, and nothing else.
    .target(
      name: "InputResolver",
      dependencies: [
        "Contracts", "Cryptography", "Grants", "HTTPServing", "Missions", "Postgres", "Secrets", "ServiceHost",
        "ServiceRuntime", "Store",
      ], swiftSettings: house),
    // process: the verifier of published test vectors.
    .target(
      name: "VectorChecks",
      dependencies: ["Contracts", "Cryptography", "Grants", "Missions", "Secrets", "ServiceRuntime"],
      swiftSettings: house),
    // process: what only developers and demos need; no stand-in ships in a service.
    .target(
      name: "Development",
      dependencies: [
        "Contracts", "Cryptography", "HTTPServing", "Identity", "Postgres", "Secrets", "ServiceHost", "ServiceRuntime",
        "Store",
      ], swiftSettings: house),

    // ── Floor 5 · run it ────────────────────────────────────────────────────────────────────────────────────
    .executableTarget(name: "mandate", dependencies: ["Operator"], swiftSettings: house),
    .executableTarget(name: "mandate-issuer", dependencies: ["GrantIssuer"], swiftSettings: house),
    .executableTarget(name: "mandate-resolver", dependencies: ["InputResolver"], swiftSettings: house),
    .executableTarget(name: "mandate-vectors", dependencies: ["VectorChecks"], swiftSettings: house),
    .executableTarget(name: "mandate-dev", dependencies: ["Development"], swiftSettings: house),

    // ── Tests ───────────────────────────────────────────────────────────────────────────────────────────────
    .testTarget(name: "ContractsTests", dependencies: ["Contracts"], swiftSettings: house),
    // A look at this process's memory from the outside, for every suite that promises something about it.
    .target(name: "MemoryInspection", path: "Tests/MemoryInspection", swiftSettings: house),
    .testTarget(
      name: "SecretsTests", dependencies: ["CLinux", "MemoryInspection", "Secrets"], swiftSettings: house),
    .testTarget(
      name: "CryptographyTests", dependencies: ["COpenSSL", "Cryptography", "MemoryInspection", "Secrets"],
      swiftSettings: house),
    .testTarget(
      name: "DevelopmentTests",
      dependencies: [
        "Contracts", "Cryptography", "Development", "HTTPFetching", "HTTPSupport", "Identity", "Secrets",
        "ServiceRuntime", "mandate-dev",
      ],
      swiftSettings: house),
    .testTarget(
      name: "FormatsTests",
      dependencies: ["Contracts", "Cryptography", "Grants", "Missions", "Secrets", "VectorChecks"],
      swiftSettings: house),
    .testTarget(
      name: "GrantsTests", dependencies: ["Contracts", "Cryptography", "Grants", "MemoryInspection", "Secrets"],
      swiftSettings: house),
    .testTarget(
      name: "GrantIssuerTests",
      dependencies: [
        "Contracts", "Cryptography", "GrantIssuer", "Grants", "MemoryInspection", "Postgres", "PostgresSupport",
        "Secrets", "ServiceRuntime", "Store", "StoreSupport", "Vault",
      ], swiftSettings: house),
    // A built service as a process of its own: what it is told, what it says, how it ends.
    .target(
      name: "ServiceProcesses", dependencies: ["Contracts"], path: "Tests/ServiceProcesses", swiftSettings: house),
    // The built services as processes of their own, over real sockets.
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "Contracts", "Cryptography", "Grants", "HTTPFetching", "HTTPSupport", "MemoryInspection", "Postgres",
        "PostgresSupport", "Secrets", "ServiceProcesses", "Store", "StoreSupport", "mandate", "mandate-dev",
        "mandate-issuer", "mandate-resolver",
      ], swiftSettings: house),
    .testTarget(name: "HouseTests", swiftSettings: house),
    .testTarget(
      name: "HTTPServingTests",
      dependencies: ["CLibevent", "COpenSSL", "HTTPServing", "MemoryInspection", "Secrets"],
      swiftSettings: house),
    // A server of raw sockets that does whatever a test tells it to, right or wrong.
    .target(name: "HTTPSupport", path: "Tests/HTTPSupport", swiftSettings: house),
    .testTarget(
      name: "HTTPFetchingTests", dependencies: ["HTTPFetching", "HTTPSupport", "MemoryInspection", "Secrets"],
      swiftSettings: house),
    .testTarget(
      name: "IdentityTests",
      dependencies: [
        "Contracts", "Cryptography", "HTTPFetching", "HTTPServing", "HTTPSupport", "Identity", "ServiceRuntime",
      ],
      swiftSettings: house),
    .testTarget(
      name: "InputResolverTests",
      dependencies: [
        "Contracts", "Cryptography", "Grants", "HTTPFetching", "HTTPSupport", "InputResolver", "MemoryInspection",
        "Missions", "Operator", "Postgres", "PostgresSupport", "Secrets", "ServiceProcesses", "ServiceRuntime",
        "Store", "StoreSupport", "mandate-resolver",
      ], swiftSettings: house),
    .testTarget(name: "MissionsTests", dependencies: ["Contracts", "Missions"], swiftSettings: house),
    .testTarget(
      name: "OperatorTests",
      dependencies: [
        "Contracts", "Cryptography", "FolderSupport", "Grants", "Operator", "Postgres", "PostgresSupport", "Secrets",
        "ServiceRuntime", "Store", "StoreSupport", "mandate",
      ], swiftSettings: house),
    // A service to copy from; it lies under Tests, so no product can link it.
    .executableTarget(
      name: "ExampleService", dependencies: ["HTTPServing", "Secrets", "ServiceHost", "ServiceRuntime"],
      path: "Tests/ExampleService", swiftSettings: house),
    .testTarget(
      name: "ServiceHostTests", dependencies: ["ExampleService", "HTTPFetching", "HTTPSupport", "ServiceRuntime"],
      swiftSettings: house),
    // A folder that is gone when the test that filled it ends.
    .target(name: "FolderSupport", path: "Tests/FolderSupport", swiftSettings: house),
    .testTarget(
      name: "ServiceRuntimeTests", dependencies: ["FolderSupport", "Secrets", "ServiceRuntime"], swiftSettings: house),
    .testTarget(name: "ThreadsTests", dependencies: ["Threads"], swiftSettings: house),
    .testTarget(
      name: "VectorChecksTests",
      dependencies: ["Contracts", "Cryptography", "Grants", "ServiceRuntime", "VectorChecks", "mandate-vectors"],
      exclude: ["Fixtures"], swiftSettings: house),
    .testTarget(
      name: "VaultTests",
      dependencies: ["Contracts", "Cryptography", "Grants", "MemoryInspection", "Secrets", "Vault"],
      swiftSettings: house),
    // A throw-away PostgreSQL for every suite that needs one; it lies under Tests, so no product can link it.
    .target(name: "PostgresSupport", dependencies: ["Postgres"], path: "Tests/PostgresSupport", swiftSettings: house),
    .testTarget(name: "PostgresTests", dependencies: ["Postgres", "PostgresSupport", "Secrets"], swiftSettings: house),
    // A bootstrapped and migrated database per suite, and a login per role.
    .target(
      name: "StoreSupport", dependencies: ["Postgres", "PostgresSupport", "ServiceRuntime", "Store"],
      path: "Tests/StoreSupport", swiftSettings: house),
    .testTarget(
      name: "StoreTests",
      dependencies: [
        "Contracts", "Missions", "Postgres", "PostgresSupport", "ServiceRuntime", "Store", "StoreSupport",
      ],
      swiftSettings: house),
  ],
  swiftLanguageModes: [.v6]
)
