// The keys of one scope, lent for the length of a closure. The master key inside can't be asked for another user,
// mission, grant or record than the claims name, so what is sealed with these keys is exactly what was consented to.

package import Contracts
package import Grants
import Secrets

package struct ScopeKeys: ~Copyable {
  private let master: MasterKey
  private let claims: GrantClaims
  private var deriver: KeyDeriver

  init(master: consuming MasterKey, claims: GrantClaims) throws(VaultFailure) {
    let deriver: KeyDeriver
    do { deriver = try KeyDeriver() } catch { throw VaultFailure(error) }
    self.master = master
    self.claims = claims
    self.deriver = deriver
  }

  package mutating func missionKey() throws(VaultFailure) -> MissionKeyV2 {
    do throws(DerivationFailure) {
      return try deriver.missionKeyV2(
        master: master.secret, user: claims.user, mission: claims.mission, grantId: claims.grantId,
        scope: claims.scope)
    } catch { throw VaultFailure(error) }
  }

  /// The key of a record in the scope; asking for another is a mistake in this program.
  package mutating func recordKey(_ record: RecordName) throws(VaultFailure) -> RecordKey {
    precondition(claims.scope.contains(record), "a record key outside the scope that was consented to")
    do throws(DerivationFailure) {
      return try deriver.recordKey(master: master.secret, user: claims.user, record: record)
    } catch { throw VaultFailure(error) }
  }
}
