// From the master key to mission and record keys. The master key comes in as a borrowed secret and is kept nowhere.

package import Contracts
package import Cryptography
package import Secrets

package enum DerivationFailure: Error, Equatable {
  case masterKeyLength(Int)
  case unsupportedVersion(String)
  case failed(CryptographyError)
}

/// Holds one reusable HKDF context; one per request or per thread.
package struct KeyDeriver: ~Copyable {
  package static let masterKeyBytes = 32
  private var hkdf: HKDFSHA256

  package init() throws(DerivationFailure) {
    do { hkdf = try HKDFSHA256() } catch { throw .failed(error) }
  }

  /// v1: salt = mission, info = the seeds' canonical string, which may be longer than libraries take at once.
  package mutating func missionKeyV1(
    master: borrowing SecretBytes, version: String = "v1", mission: String, tables: [String], recordIds: [String]
  ) throws(DerivationFailure) -> MissionKeyV1 {
    try Self.check(master)
    guard version.utf8.elementsEqual("v1".utf8) else { throw .unsupportedVersion(version) }
    let info = Array(canonicalScopeV1(tables: tables, recordIds: recordIds).utf8)
    return MissionKeyV1(try derive(master, salt: Array(mission.utf8), info: info))
  }

  /// v2: the scope, the user and the grant are in the key, so a re-issued grant has a new one. The inner digest
  /// keeps the info short, because libraries cap it.
  package mutating func missionKeyV2(
    master: borrowing SecretBytes, user: Identifier, mission: Identifier, grantId: Identifier, scope: Scope
  ) throws(DerivationFailure) -> MissionKeyV2 {
    try Self.check(master)
    var claim = Frame(reservingBytes: 128 + scope.records.count * 48)
    claim.add(user)
    claim.add(mission)
    claim.add(grantId)
    scope.addRecords(to: &claim)
    var info = Frame()
    info.add("mandate/v2/mission-key")
    info.add(SHA256.digest(claim.bytes))
    return MissionKeyV2(try derive(master, salt: mission.utf8, info: info.bytes))
  }

  /// The key of one record. It does not change when the record is edited.
  package mutating func recordKey(
    master: borrowing SecretBytes, user: Identifier, record: RecordName
  ) throws(DerivationFailure) -> RecordKey {
    try Self.check(master)
    var info = Frame()
    info.add("mandate/v2/record-key")
    info.add(user)
    info.add(record.table)
    info.add(record.record)
    return RecordKey(try derive(master, salt: [], info: info.bytes))
  }

  private mutating func derive(
    _ master: borrowing SecretBytes, salt: [UInt8], info: [UInt8]
  ) throws(DerivationFailure) -> SecretBytes {
    do {
      return try hkdf.derive(ikm: master.bytes, salt: salt.span, info: info.span, count: 32)
    } catch { throw .failed(error) }
  }

  private static func check(_ master: borrowing SecretBytes) throws(DerivationFailure) {
    guard master.count == masterKeyBytes else { throw .masterKeyLength(master.count) }
  }
}
