// swift-tools-version: 6.2
// The benchmarks: ours against a yardstick in the same run. A package of its own, so that nothing here is built or
// linked with what ships. `House` and `Support` are links to the sources, because `package` access ends at a package's
// edge.
import PackageDescription

let house: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "mandate-benchmarks",
  targets: [
    .target(name: "Contracts", path: "House/Contracts", swiftSettings: house),
    .systemLibrary(name: "CLinux", path: "House/CLinux"),
    .target(name: "Secrets", dependencies: ["CLinux"], path: "House/Secrets", swiftSettings: house),
    .target(name: "Threads", path: "House/Threads", swiftSettings: house),
    .systemLibrary(
      name: "COpenSSL", path: "House/COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .target(
      name: "Cryptography", dependencies: ["COpenSSL", "Secrets"], path: "House/Cryptography", swiftSettings: house),
    .target(
      name: "Grants", dependencies: ["Contracts", "Cryptography", "Secrets"], path: "House/Grants",
      swiftSettings: house),
    .systemLibrary(
      name: "CPostgres", path: "House/CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .target(
      name: "Postgres", dependencies: ["CPostgres", "Secrets", "Threads"], path: "House/Postgres", swiftSettings: house),
    .target(
      name: "ServiceRuntime", dependencies: ["CLinux", "Secrets", "Threads"], path: "House/ServiceRuntime",
      swiftSettings: house),
    .target(
      name: "Store", dependencies: ["Contracts", "Postgres", "ServiceRuntime"], path: "House/Store",
      resources: [.embedInCode("Bootstrap"), .embedInCode("Migrations"), .embedInCode("Proof")],
      swiftSettings: house),
    .target(name: "Missions", dependencies: ["Contracts"], path: "House/Missions", swiftSettings: house),
    // The throw-away server of the tests; here it is a durable one.
    .target(name: "PostgresSupport", dependencies: ["Postgres"], path: "Support", swiftSettings: house),
    .systemLibrary(
      name: "CLibevent", path: "House/CLibevent", pkgConfig: "libevent_openssl", providers: [.apt(["libevent-dev"])]),
    .target(
      name: "HTTPServing", dependencies: ["CLibevent", "COpenSSL", "Secrets", "Threads"], path: "House/HTTPServing",
      swiftSettings: house),
    .systemLibrary(
      name: "CCurl", path: "House/CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .target(
      name: "HTTPFetching", dependencies: ["CCurl", "CLinux", "Secrets", "Threads"], path: "House/HTTPFetching",
      swiftSettings: house),
    .target(
      name: "Identity", dependencies: ["Contracts", "Cryptography", "HTTPFetching", "Secrets", "ServiceRuntime"],
      path: "House/Identity", swiftSettings: house),
    .target(
      name: "ServiceHost", dependencies: ["Contracts", "HTTPServing", "Secrets", "ServiceRuntime"],
      path: "House/ServiceHost", swiftSettings: house),
    .target(
      name: "InputResolver",
      dependencies: [
        "Contracts", "Cryptography", "Grants", "HTTPServing", "Missions", "Postgres", "Secrets", "ServiceHost",
        "ServiceRuntime", "Store",
      ], path: "House/InputResolver", swiftSettings: house),
    .target(
      name: "Vault", dependencies: ["Contracts", "Cryptography", "Grants", "Secrets"], path: "House/Vault",
      swiftSettings: house),
    .target(
      name: "GrantIssuer",
      dependencies: [
        "Contracts", "Cryptography", "Grants", "HTTPFetching", "HTTPServing", "Identity", "Missions", "Postgres",
        "Secrets",
        "ServiceHost", "ServiceRuntime", "Store", "Vault",
      ], path: "House/GrantIssuer", resources: [.embedInCode("Description/openapi.json")], swiftSettings: house),
    // Services as they are run, which the rows about them start.
    .executableTarget(
      name: "mandate-resolver", dependencies: ["InputResolver"], path: "House/mandate-resolver", swiftSettings: house),
    .executableTarget(
      name: "mandate-issuer", dependencies: ["GrantIssuer"], path: "House/mandate-issuer", swiftSettings: house),
    // The C loops we measure ourselves against: the same work with OpenSSL and nothing around it.
    .target(
      name: "CYardsticks",
      linkerSettings: [.linkedLibrary("crypto"), .linkedLibrary("event_core"), .linkedLibrary("event_extra")]),
    .executableTarget(
      name: "mandate-bench",
      dependencies: [
        "CYardsticks", "Contracts", "Cryptography", "Grants", "HTTPFetching", "HTTPServing", "Missions", "Postgres",
        "PostgresSupport", "Secrets", "ServiceRuntime", "Store", "mandate-issuer", "mandate-resolver",
      ],
      path: "Sources/MandateBench", swiftSettings: house),
  ],
  swiftLanguageModes: [.v6]
)
