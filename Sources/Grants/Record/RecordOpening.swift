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
    var opened: [(field: JSONString, value: OpenedValue)] = []
    for member in record.members {
      guard case .string(let value) = member.value else { continue }
      let text = value.text.utf8.span
      guard FieldEnvelope.version(of: text) == .one else { continue }
      opened.append((member.key, try open1(text, key: key, onto: &plaintext)))
    }
    return OpenedRecord(stored: record, plaintext: plaintext, opened: opened)
  }

  /// v2: only `fields`, and one that fails refuses the record. `enc:2` opens natively, `enc:1` through the sealed
  /// copy made from the same ciphertext, any other version of envelope not at all.
  package mutating func openRecord2(
    _ record: JSONObject, fields: [String], key: borrowing RecordKey, user: Identifier, name: RecordName,
    copies: [JSONString: SealedCopy] = [:]
  ) throws(FieldFailure) -> OpenedRecord {
    var plaintext = WipedBytes(capacity: Self.room(for: record, fields))
    var opened: [(field: JSONString, value: OpenedValue)] = []
    for field in fields {
      guard case .string(let value)? = record[field] else { continue }
      let text = value.text.utf8.span
      let version = FieldEnvelope.version(of: text)
      guard version != nil || !FieldEnvelope.isOfUnknownVersion(text) else { throw .refused(.ciphertextMalformed) }
      guard let version else { continue }
      let place = FieldPlace(user: user, record: name, field: field)
      let fieldName = JSONString(field)
      switch version {
      case .two: opened.append((fieldName, try open2(text, key: key, place: place, onto: &plaintext)))
      case .one:
        let copy = copies[fieldName]
        opened.append((fieldName, try openCopy(copy, for: text, key: key, place: place, onto: &plaintext)))
      }
    }
    return OpenedRecord(stored: record, plaintext: plaintext, opened: opened)
  }
  /// Enough for every field at once: plaintext that has to move is wiped where it was, which costs time.
  private static func room(for record: JSONObject, _ fields: [String]) -> Int {
    fields.reduce(0) { $0 + (record[$1]?.text?.utf8.count ?? 0) * 3 / 4 }
  }
}
