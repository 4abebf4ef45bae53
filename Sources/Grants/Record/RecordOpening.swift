// Opening a record under a grant: the seeds' walk for v1, exactly the fields a module reads for v2.

package import Contracts
import Secrets

extension FieldCodec {
  /// v1: every top-level string that begins with `enc:1:`, in JavaScript's order of keys; the first failure ends
  /// it. Anything else passes through untouched.
  package mutating func openRecord1(
    _ record: JSONObject, key: borrowing MissionKeyV1
  ) throws(FieldFailure) -> OpenedRecord {
    var plaintext = WipedBytes()
    var opened: [JSONString: OpenedValue] = [:]
    for member in record.members {
      guard case .string(let value) = member.value, case let characters = Array(value.text.utf8),
        FieldEnvelope.version(of: characters.span) == .one
      else { continue }
      opened[member.key] = try open1(characters.span, key: key, onto: &plaintext)
    }
    return OpenedRecord(stored: record, plaintext: plaintext, opened: opened)
  }

  /// v2: only `fields`, and one that fails refuses the record. `enc:2` opens natively, `enc:1` through the sealed
  /// copy made from the same ciphertext, any other version of envelope not at all.
  package mutating func openRecord2(
    _ record: JSONObject, fields: [String], key: borrowing RecordKey, user: Identifier, name: RecordName,
    copies: [JSONString: SealedCopy] = [:]
  ) throws(FieldFailure) -> OpenedRecord {
    var plaintext = WipedBytes()
    var opened: [JSONString: OpenedValue] = [:]
    for field in fields {
      guard case .string(let value)? = record[field] else { continue }
      let characters = Array(value.text.utf8)
      let place = FieldPlace(user: user, record: name, field: field)
      let fieldName = JSONString(field)
      switch FieldEnvelope.version(of: characters.span) {
      case .two: opened[fieldName] = try open2(characters.span, key: key, place: place, onto: &plaintext)
      case .one:
        opened[fieldName] = try openCopy(
          copies[fieldName], for: characters.span, key: key, place: place, onto: &plaintext)
      case nil:
        guard !FieldEnvelope.isOfUnknownVersion(characters.span) else { throw .refused(.ciphertextMalformed) }
      }
    }
    return OpenedRecord(stored: record, plaintext: plaintext, opened: opened)
  }
}
