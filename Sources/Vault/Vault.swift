// The vault's one door. Whoever stands outside gets a user's keys for one scope, the answer that carries the key to its
// owner, or a new wrap; the master key itself is opened, used and wiped in this module and never leaves it.

package import Contracts
package import Cryptography
package import Grants
import Secrets

/// Why the vault gave nothing. What whoever can write rows may steer is one case.
package enum VaultFailure: Error, Equatable {
  /// No key of ours opens this wrap: another key encryption key, another user's row, damaged bytes, or an `env-v1` row
  /// where those are not read any more.
  case unopenable
  /// What was supplied is not the key that the check value belongs to.
  case notTheKey
  /// Our own machine's trouble.
  case failed(CryptographyError)
}

package struct Vault: Sendable {
  private let keys: KeyEncryptionKeys

  package init(_ keys: KeyEncryptionKeys) { self.keys = keys }

  /// What new wraps are made under.
  package var currentKeyId: String { keys.currentId }

  /// Whether what is wrapped now can be opened again.
  package func proves() -> Bool {
    let nobody = Identifier("mandate self-test")
    do throws(VaultFailure) {
      let new = try makeKey(for: nobody)
      return try check(of: new.wrapped, of: nobody) == new.check
    } catch { return false }
  }

  /// A new master key: its wrap and check value for the row, and the answer for its owner.
  package func makeKey(for user: Identifier, formatVersion: Int = 1) throws(VaultFailure) -> NewKey {
    let master = try MasterKey.random()
    let wrapped = try keys.wrap(master, of: user)
    return NewKey(
      wrapped: wrapped, check: try master.check(of: user),
      handout: KeyHandout(master, formatVersion: formatVersion, keyId: wrapped.keyId))
  }

  /// The answer that carries a stored key to its owner.
  package func handOut(
    _ wrapped: WrappedMasterKey, to user: Identifier, formatVersion: Int
  ) throws(VaultFailure) -> KeyHandout {
    KeyHandout(try keys.unwrap(wrapped, of: user), formatVersion: formatVersion, keyId: wrapped.keyId)
  }

  /// By this value the key will be known again once its wrap is gone.
  package func check(of wrapped: WrappedMasterKey, of user: Identifier) throws(VaultFailure) -> [UInt8] {
    try keys.unwrap(wrapped, of: user).check(of: user)
  }

  /// Wraps the key that a user brings back, if it is the one that was taken away.
  package func takeBack(
    _ supplied: borrowing SuppliedKey, of user: Identifier, check: [UInt8]
  ) throws(VaultFailure) -> WrappedMasterKey {
    guard try supplied.master.matches(check, of: user) else { throw .notTheKey }
    return try keys.wrap(supplied.master, of: user)
  }

  /// Derives for one scope: lends the mission key and the record keys of these claims, and of no others.
  package func withKeys<Value, Failure: Error>(
    for claims: GrantClaims, from wrapped: WrappedMasterKey,
    _ body: (inout ScopeKeys) throws(Failure) -> Value
  ) throws(Failure) -> Result<Value, VaultFailure> {
    let opened: ScopeKeys
    do throws(VaultFailure) {
      opened = try ScopeKeys(master: keys.unwrap(wrapped, of: claims.user), claims: claims)
    } catch { return .failure(error) }
    var keys = opened
    return .success(try body(&keys))
  }

  /// The mission key of a v1 grant, which is bound to nothing but what its caller names.
  package func missionKeyV1(
    from wrapped: WrappedMasterKey, of user: Identifier, mission: String, tables: [String], recordIds: [String]
  ) throws(VaultFailure) -> MissionKeyV1 {
    let master = try keys.unwrap(wrapped, of: user)
    do throws(DerivationFailure) {
      var deriver = try KeyDeriver()
      return try deriver.missionKeyV1(
        master: master.secret, mission: mission, tables: tables, recordIds: recordIds)
    } catch { throw VaultFailure(error) }
  }
}

/// A key that was just made. Its parts go three ways: to the row, to the row, to the owner.
package struct NewKey: ~Copyable {
  package let wrapped: WrappedMasterKey
  package let check: [UInt8]
  package let handout: KeyHandout

  package consuming func intoHandout() -> KeyHandout { handout }
}

extension VaultFailure {
  init(_ failure: DerivationFailure) {
    switch failure {
    case .failed(let error): self = .failed(error)
    // A master key has 32 bytes by its type, and versions are ours to name.
    case .masterKeyLength, .unsupportedVersion: self = .failed(.broken("a key could not be derived"))
    }
  }
}
