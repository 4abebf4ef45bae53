// One row per granted record: nonce(12) ‖ AES-256-GCM(mission key, record key, AAD), 60 bytes, both directions.

package import Contracts
package import Cryptography
import Secrets

package enum KeyringRow {
  package static let nonceBytes = 12
  package static let byteCount = nonceBytes + RecordKey.byteCount + AESGCM.tagBytes

  package static func seal(
    _ recordKey: borrowing RecordKey, under missionKey: borrowing MissionKeyV2, grantId: Identifier,
    record: RecordName, nonce: [UInt8], with cipher: inout AESGCM
  ) throws(CryptographyError) -> [UInt8] {
    precondition(nonce.count == nonceBytes, "a keyring nonce has 12 bytes")
    let place = aad(grantId, record)
    let sealed = try cipher.seal(
      recordKey.secret.bytes, key: missionKey.secret.bytes, iv: nonce.span, aad: place.span)
    return nonce + sealed
  }

  package static func open(
    _ row: [UInt8], under missionKey: borrowing MissionKeyV2, grantId: Identifier, record: RecordName,
    with cipher: inout AESGCM
  ) throws(FieldFailure) -> RecordKey {
    guard row.count == byteCount else { throw .refused(.ciphertextTampered) }
    // In a constant of its own: Swift 6.3 leaks a temporary whose Span is passed to a call that throws.
    let place = aad(grantId, record)
    do {
      return RecordKey(
        try cipher.open(
          row.span.extracting(droppingFirst: nonceBytes), key: missionKey.secret.bytes,
          iv: row.span.extracting(first: nonceBytes), aad: place.span))
    } catch { throw .from(error, rejectedAs: .ciphertextTampered) }
  }

  private static func aad(_ grantId: Identifier, _ record: RecordName) -> [UInt8] {
    var frame = Frame()
    frame.add("mandate/v2/keyring")
    frame.add(grantId)
    frame.add(record.table)
    frame.add(record.record)
    return frame.bytes
  }
}
