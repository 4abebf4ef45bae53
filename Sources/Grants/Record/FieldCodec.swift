// One field, both versions, both directions. The plaintext is the JSON text of the value; what comes out of an
// opening is checked to be JSON and stays in memory that is wiped.

package import Contracts
package import Cryptography
package import Secrets

/// Where a value of v2 belongs. It opens nowhere else.
package struct FieldPlace: Hashable, Sendable {
  package let user: Identifier
  package let record: RecordName
  package let field: String
  /// `frame("mandate/v2/field", user, table, record, field)`.
  package let aad: [UInt8]

  package init(user: Identifier, record: RecordName, field: String) {
    self.user = user
    self.record = record
    self.field = field
    aad = Self.frame("mandate/v2/field", user, record, field).bytes
  }

  /// The same under another domain, so that a sealed copy is never taken for a field or the other way round.
  static func frame(_ domain: String, _ user: Identifier, _ record: RecordName, _ field: String) -> Frame {
    var frame = Frame(reservingBytes: 192)
    frame.add(domain)
    frame.add(user)
    frame.add(record.table)
    frame.add(record.record)
    frame.add(field)
    return frame
  }
}

/// Holds one reusable cipher context; one per request or per thread. The last key's schedule is wiped with it.
package struct FieldCodec: ~Copyable {
  package var cipher: AESGCM
  /// The decoded ciphertext of the last field: anyone may see it, and the next one needs as much memory.
  private var buffer: [UInt8] = []

  package init() throws(CryptographyError) { cipher = try AESGCM() }

  // MARK: enc:1, as the seeds' clients write it (no AAD)

  package mutating func seal1(
    _ json: Span<UInt8>, key: borrowing MissionKeyV1, iv: [UInt8]
  ) throws(CryptographyError) -> String {
    let sealed = try cipher.seal(json, key: key.secret.bytes, iv: iv.span, aad: Span<UInt8>())
    return FieldEnvelope(version: .one, iv: iv, sealed: sealed).text
  }

  package mutating func open1(
    _ text: Span<UInt8>, key: borrowing MissionKeyV1, onto plaintext: inout WipedBytes
  ) throws(FieldFailure) -> OpenedValue {
    try open(text, .one, key: key.secret.bytes, aad: [], onto: &plaintext)
  }

  // MARK: enc:2, under the record's own key, bound to its place

  package mutating func seal2(
    _ json: Span<UInt8>, key: borrowing RecordKey, place: FieldPlace, iv: [UInt8]
  ) throws(CryptographyError) -> String {
    try seal2(json, key: key, aad: place.aad, iv: iv)
  }

  package mutating func open2(
    _ text: Span<UInt8>, key: borrowing RecordKey, place: FieldPlace, onto plaintext: inout WipedBytes
  ) throws(FieldFailure) -> OpenedValue {
    try open2(text, key: key, aad: place.aad, onto: &plaintext)
  }

  mutating func seal2(
    _ json: Span<UInt8>, key: borrowing RecordKey, aad: [UInt8], iv: [UInt8]
  ) throws(CryptographyError) -> String {
    let sealed = try cipher.seal(json, key: key.secret.bytes, iv: iv.span, aad: aad.span)
    return FieldEnvelope(version: .two, iv: iv, sealed: sealed).text
  }

  mutating func open2(
    _ text: Span<UInt8>, key: borrowing RecordKey, aad: [UInt8], onto plaintext: inout WipedBytes
  ) throws(FieldFailure) -> OpenedValue {
    try open(text, .two, key: key.secret.bytes, aad: aad, onto: &plaintext)
  }

  // MARK: What both share

  /// The seeds' classes of failure: no separator, or not this version's own prefix, is `ciphertext-malformed`; bad
  /// base64 or a wrong IV length is `decrypt-failed`. `buffer` is taken and must be given back.
  mutating func envelope(
    _ text: Span<UInt8>, _ version: FieldEnvelope.Version
  ) throws(FieldFailure) -> FieldEnvelope {
    var taken: [UInt8] = []
    swap(&taken, &buffer)
    do {
      // Moved, not copied: memory with a second owner would be copied before it is written.
      return try FieldEnvelope(parsing: text, as: version, reusing: consume taken)
    } catch .missingSeparator {
      throw .refused(.ciphertextMalformed)
    } catch { throw .refused(.decryptFailed) }
  }

  /// Opens behind what `plaintext` holds already. On failure it is as long as before.
  private mutating func open(
    _ text: Span<UInt8>, _ version: FieldEnvelope.Version, key: Span<UInt8>, aad: [UInt8],
    onto plaintext: inout WipedBytes
  ) throws(FieldFailure) -> OpenedValue {
    let envelope = try envelope(text, version)
    guard envelope.sealed.count >= AESGCM.tagBytes else { throw .refused(.ciphertextTampered) }
    let start = plaintext.count
    plaintext.resize(to: start + envelope.sealed.count - AESGCM.tagBytes)
    var whole = plaintext.mutableBytes
    var output = whole._mutatingExtracting(start..<whole.count)
    do {
      try cipher.open(envelope.sealed, key: key, iv: envelope.iv, aad: aad.span, into: &output)
    } catch {
      plaintext.resize(to: start)
      throw .from(error, rejectedAs: .ciphertextTampered)
    }
    buffer = envelope.recycled()
    return try OpenedValue(readingFrom: start, of: &plaintext)
  }
}
