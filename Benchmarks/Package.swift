// swift-tools-version: 6.2
// The benchmarks: ours against a yardstick in the same run. A package of its own, so that nothing here is built or
// linked with what ships. `House` is a link to the sources, because `package` access ends at a package's edge.
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
    .systemLibrary(
      name: "COpenSSL", path: "House/COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .target(
      name: "Cryptography", dependencies: ["COpenSSL", "Secrets"], path: "House/Cryptography", swiftSettings: house),
    .target(
      name: "Grants", dependencies: ["Contracts", "Cryptography", "Secrets"], path: "House/Grants",
      swiftSettings: house),
    // The C loops we measure ourselves against: the same work with OpenSSL and nothing around it.
    .target(name: "CYardsticks", linkerSettings: [.linkedLibrary("crypto")]),
    .executableTarget(
      name: "mandate-bench", dependencies: ["CYardsticks", "Contracts", "Cryptography", "Grants", "Secrets"],
      path: "Sources/MandateBench", swiftSettings: house),
  ],
  swiftLanguageModes: [.v6]
)
