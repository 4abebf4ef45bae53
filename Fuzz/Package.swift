// swift-tools-version: 6.2
// The fuzzers: broken input for every parser that strangers can reach. A package of its own, because libFuzzer brings
// its own `main` and every file must be compiled for it; `House` is a link to the sources, because `package` access
// ends at a package's edge. run.sh builds and runs them all.
import PackageDescription

let house: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

/// One libFuzzer executable. run.sh takes the list of them from the calls below.
func fuzzer(_ name: String, _ folder: String, over rooms: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: ["Harness"] + rooms, path: "Sources/\(folder)", swiftSettings: house)
}

let package = Package(
  name: "mandate-fuzz",
  targets: [
    .target(name: "Contracts", path: "House/Contracts", swiftSettings: house),
    .systemLibrary(name: "CLinux", path: "House/CLinux"),
    .target(name: "Secrets", dependencies: ["CLinux"], path: "House/Secrets", swiftSettings: house),
    .target(name: "Threads", path: "House/Threads", swiftSettings: house),
    .systemLibrary(
      name: "COpenSSL", path: "House/COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .target(
      name: "Cryptography", dependencies: ["COpenSSL", "Secrets"], path: "House/Cryptography", swiftSettings: house),
    .systemLibrary(
      name: "CLibevent", path: "House/CLibevent", pkgConfig: "libevent_openssl", providers: [.apt(["libevent-dev"])]),
    .systemLibrary(
      name: "CCurl", path: "House/CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .target(
      name: "HTTPServing", dependencies: ["CLibevent", "COpenSSL", "Secrets", "Threads"], path: "House/HTTPServing",
      swiftSettings: house),
    .target(
      name: "HTTPFetching", dependencies: ["CCurl", "Secrets", "Threads"], path: "House/HTTPFetching",
      swiftSettings: house),
    .target(
      name: "ServiceRuntime", dependencies: ["Secrets", "Threads"], path: "House/ServiceRuntime", swiftSettings: house),
    .target(
      name: "Identity", dependencies: ["Contracts", "Cryptography", "HTTPFetching", "Secrets", "ServiceRuntime"],
      path: "House/Identity", swiftSettings: house),

    .target(name: "Harness", swiftSettings: house),
    fuzzer("fuzz-strict-base64", "StrictBase64", over: ["Contracts"]),
    fuzzer("fuzz-forgiving-base64", "ForgivingBase64", over: ["Contracts"]),
    fuzzer("fuzz-utf8-repair", "UTF8Repair", over: ["Contracts"]),
    fuzzer("fuzz-instant", "Instant", over: ["Contracts"]),
    fuzzer("fuzz-json-value", "JSONValue", over: ["Contracts"]),
    fuzzer("fuzz-field-envelope", "FieldEnvelope", over: ["Contracts"]),
    fuzzer("fuzz-grant-json", "GrantJSON", over: ["Contracts"]),
    fuzzer("fuzz-resolve-reply", "ResolveReply", over: ["Contracts"]),
    fuzzer("fuzz-key-pem", "KeyPEM", over: ["Cryptography", "Secrets"]),
    fuzzer("fuzz-request-gate", "RequestGate", over: ["HTTPServing"]),
    fuzzer("fuzz-event-parser", "EventParser", over: ["HTTPFetching"]),
    fuzzer("fuzz-response-head", "ResponseHead", over: ["HTTPFetching"]),
    fuzzer("fuzz-token", "Token", over: ["Contracts", "Identity"]),
    fuzzer("fuzz-key-set", "KeySet", over: ["Contracts", "Identity"]),
  ],
  swiftLanguageModes: [.v6]
)
