// Where a process runs, and what it may therefore not do with the secrets of a developer's desk.

package import Secrets

package enum DeploymentStage: String, CaseIterable, Sendable {
  case production
  case development
  case test

  /// Whoever sets nothing is in production: a secret that everybody knows must be asked for.
  package static let setting = Setting<DeploymentStage>.oneOf(
    .stage, .value(.production), reason: "Only `development` and `test` accept secrets that are known or weak.")
}

package enum DevelopmentSecret {
  /// Texts that stand in secrets made for a desk: ours, and the defaults of the system that this one replaces.
  private static let marks: [StaticString] = ["throw-away", "THROW-AWAY", "dev-", "changeme", "example"]

  /// Fewer different bytes than this are no key that a generator made: 32 random bytes have about 30.
  private static let fewestDifferent = 8

  /// True for what everybody knows or could guess. It finds mistakes; it can't prove that a secret is good.
  package static func isOne(_ secret: borrowing SecretBytes) -> Bool {
    let bytes = secret.bytes
    var seen: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    for index in bytes.indices {
      let bit: UInt64 = 1 << UInt64(bytes[index] & 63)
      switch bytes[index] >> 6 {
      case 0: seen.0 |= bit
      case 1: seen.1 |= bit
      case 2: seen.2 |= bit
      default: seen.3 |= bit
      }
    }
    let different =
      seen.0.nonzeroBitCount + seen.1.nonzeroBitCount + seen.2.nonzeroBitCount + seen.3.nonzeroBitCount
    return different < fewestDifferent || marks.contains { contains($0, in: bytes) }
  }

  private static func contains(_ mark: StaticString, in bytes: Span<UInt8>) -> Bool {
    let wanted = Array(mark.description.utf8)
    guard bytes.count >= wanted.count else { return false }
    return (0...(bytes.count - wanted.count)).contains { start in
      wanted.indices.allSatisfy { bytes[start + $0] == wanted[$0] }
    }
  }
}

extension SettingsReader {
  /// Refuses, in production, a secret that `DevelopmentSecret` knows.
  package mutating func refuseDevelopmentSecret(
    _ secret: borrowing SecretBytes, _ variable: KnownVariable, in stage: DeploymentStage
  ) {
    let isRefused = stage == .production && DevelopmentSecret.isOne(secret)
    require(
      !isRefused, of: [variable, .stage],
      "this secret is known or too simple for production; make a new one, or say MANDATE_STAGE=development.")
  }
}
