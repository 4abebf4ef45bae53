// Rows `unwrap` and `unwrap-cores`: a v2 grant for ten records opened with every check, against OpenSSL's own count
// of RSA-2048 private operations.

import Contracts
import Cryptography
import Glibc
import Grants
import Secrets

enum UnwrapRows {
  static let oneCore = Row(name: "unwrap", unit: "unwraps/s", mark: 0.95) {
    let grant = try SampleGrant()
    let ours = try Stopwatch.rate(seconds: 1, batch: 50) { batch in try grant.open(times: batch) }
    return Row.Pair(ours: ours, yardstick: try opensslRate())
  }

  static let allCores = Row(name: "unwrap-cores", unit: "unwraps/s", mark: 0.9) {
    let grant = try SampleGrant()
    let cores = max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1)
    let one = try Stopwatch.rate(seconds: 1, batch: 50) { batch in try grant.open(times: batch) }
    let all = Threads.rate(cores) {
      Stopwatch.rate(seconds: 1, batch: 50) { batch in
        do { try grant.open(times: batch) } catch { preconditionFailure("a good grant did not open: \(error)") }
      }
    }
    return Row.Pair(ours: all, yardstick: one * Double(cores))
  }

  /// By the clock on the wall, as ours: without `-elapsed` it would count CPU time. It prints machine-readable lines
  /// `+F2:2:2048:<private operations per second>:…`.
  static func opensslRate() throws(YardstickProblem) -> Double {
    let printed = try Subprocess.output(["openssl", "speed", "-elapsed", "-mr", "-seconds", "1", "rsa2048"])
    for line in printed.split(separator: "\n") where line.hasPrefix("+F2:") {
      let fields = line.split(separator: ":")
      if fields.count > 3, let rate = Double(fields[3]), rate > 0 { return rate }
    }
    throw YardstickProblem(why: "openssl speed did not print a rate for rsa2048")
  }
}

/// A grant that was sealed once and is opened again and again.
struct SampleGrant: Sendable {
  private let keys: ResolverKeys
  private let grant: GrantV2
  private let label: GrantLabel

  init() throws {
    let pair = try RSAPrivateKey.generate(bits: 2048)
    let publicKey = pair.publicKey()
    let (user, mission) = (try Identifier(checking: "user-1"), try Identifier(checking: "mission-1"))
    let names = try (0..<10).map {
      RecordName(table: try TableName("notes"), record: try Identifier(checking: "n\($0)"))
    }
    let claims = GrantClaims(
      grantId: Identifier("3f0c8b1e-0000-4000-8000-000000000001"), keyId: publicKey.keyIdHex, user: user,
      mission: mission, scope: try Scope(of: names), issuedAt: Instant(milliseconds: 0),
      expiresAt: Instant(milliseconds: 1_000_000))
    let master = try SecureRandom.secret(32)
    var deriver = try KeyDeriver()
    let missionKey = try deriver.missionKeyV2(
      master: master, user: user, mission: mission, grantId: claims.grantId, scope: claims.scope)
    grant = try SealedGrantV2.seal(missionKey, for: publicKey, claims: claims)
    label = GrantLabel(claims)
    keys = ResolverKeys(pair)
  }

  func open(times: Int) throws {
    for _ in 0..<times {
      let stored = label.bytes
      guard let claims = GrantLabel(parsing: stored) else { throw YardstickProblem(why: "the claims did not parse") }
      try SealedGrantV2.withOpen(
        wrapped: grant.wrappedKey, label: claims, keys: keys, user: claims.user, mission: claims.mission,
        now: Instant(milliseconds: 10)
      ) { _ in }
    }
  }
}
