// A sealed copy serves a field that a client still writes as `enc:1` under the master key: the issuer has opened it
// once and sealed it again for this record. It counts only for the very ciphertext it was made from.

package import Contracts
package import Cryptography
package import Secrets

package enum SealedCopy: Hashable, Sendable {
  /// `of`: lower-case hex SHA-256 of the decoded iv ‖ ciphertext ‖ tag. `value`: an `enc:2` text.
  case value(of: String, String)
  /// The ciphertext was first seen in another place, so somebody moved it; nothing was opened.
  case refused(of: String, FieldRefusal)

  package var of: String {
    switch self {
    case .value(let of, _), .refused(let of, _): of
    }
  }

  package static func digest(of envelope: FieldEnvelope) -> String { Hex.encode(SHA256.digest(envelope.decoded)) }

  package init?(_ json: JSONValue) {
    guard let object = json.object, let of = object["of"]?.text, Hex.isLowercase(of, count: 64) else { return nil }
    switch (object["value"]?.text, object["refused"]?.text) {
    case (let value?, nil): self = .value(of: of, value)
    case (nil, FieldRefusal.movedCiphertext.rawValue?): self = .refused(of: of, .movedCiphertext)
    default: return nil
    }
  }

  package var json: JSONValue {
    switch self {
    case .value(let of, let text): .object(JSONObject(members: [("of", .string(of)), ("value", .string(text))]))
    case .refused(let of, let why):
      .object(JSONObject(members: [("of", .string(of)), ("refused", .string(why.rawValue))]))
    }
  }

  /// `frame("mandate/v2/sealed", user, table, record, field, of)`.
  package static func aad(_ place: FieldPlace, of: String) -> [UInt8] {
    var frame = FieldPlace.frame("mandate/v2/sealed", place.user, place.record, place.field)
    frame.add(of)
    return frame.bytes
  }
}

extension FieldCodec {
  package mutating func sealCopy(
    _ json: Span<UInt8>, of envelope: FieldEnvelope, key: borrowing RecordKey, place: FieldPlace, iv: [UInt8]
  ) throws(CryptographyError) -> SealedCopy {
    let of = SealedCopy.digest(of: envelope)
    return .value(of: of, try seal2(json, key: key, aad: SealedCopy.aad(place, of: of), iv: iv))
  }

  /// Opens the copy of the `enc:1` text that stands in the record now; never an older one.
  package mutating func openCopy(
    _ copy: SealedCopy?, for current: Span<UInt8>, key: borrowing RecordKey, place: FieldPlace,
    onto plaintext: inout WipedBytes
  ) throws(FieldFailure) -> OpenedValue {
    let envelope = try envelope(current, .one)
    guard let copy, copy.of == SealedCopy.digest(of: envelope) else { throw .refused(.notSealedYet) }
    switch copy {
    case .refused(_, let why): throw .refused(why)
    case .value(let of, let text):
      let characters = Array(text.utf8)
      return try open2(characters.span, key: key, aad: SealedCopy.aad(place, of: of), onto: &plaintext)
    }
  }
}
