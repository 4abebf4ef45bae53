// What every use case of the issuer works with: the database, the vault, the resolver's public key and the rules. Each
// use case is a method in a file of its own; none of them sees HTTP.

import Contracts
package import Cryptography
package import Postgres
package import ServiceRuntime
package import Store
package import Vault

package struct Issuer: Sendable {
  let pool: PostgresPool
  let vault: Vault
  /// Nil where none is configured: grants are then answered with 503, everything else works.
  let resolverKey: RSAPublicKey?
  let rules: IssuerRules
  let log: Log

  package init(pool: PostgresPool, vault: Vault, resolverKey: RSAPublicKey?, rules: IssuerRules, log: Log) {
    (self.pool, self.vault, self.resolverKey, self.rules, self.log) = (pool, vault, resolverKey, rules, log)
  }
}

/// What an operator may decide.
package struct IssuerRules: Sendable {
  /// Grants of the seeds' kind, which prove nothing but that somebody had a public key.
  package var issuesV1 = false
  package var keyFetches = RateLimit(actions: [.`init`, .fetch, .failedFetch], calls: 30, seconds: 60)
  package var issues = RateLimit(actions: [.grantIssue, .grantRefuse], calls: 10, seconds: 60)
  package var rotations = RateLimit(actions: [.rotate], calls: 3, seconds: 3_600)

  package init() {}
}

/// How often a user may have something done. Counted in the vault's log, so that it holds over all issuers; a call that
/// is over the limit is not counted, or whoever keeps trying would never get in again.
package struct RateLimit: Sendable {
  package let actions: [VaultAction]
  package var calls: Int
  package let seconds: Int

  func wait(of scope: UserScope) -> BoundStatement {
    VaultAudit.wait(for: actions, limit: calls, within: seconds, of: scope)
  }
}

/// Who is calling, as far as it was proved, and from where, as far as it is known.
package struct Caller: Sendable {
  package let scope: UserScope
  let address: String?
  let agent: String?

  /// Nil for an id that no account of ours can have: empty, over 256 bytes, or with control characters.
  package init?(user: String, address: String? = nil, agent: String? = nil) {
    do {
      scope = try UserScope(Identifier(checking: user))
    } catch { return nil }
    self.address = address.map(Self.storable)
    self.agent = agent.map(Self.storable)
  }

  var user: Identifier { scope.user }

  /// What strangers send for a header may be long, and the database takes no NUL.
  private static func storable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 }.prefix(512)))
  }
}
