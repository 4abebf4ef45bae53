// A JWKS document (RFC 7517, 8037) as far as it concerns us: its Ed25519 keys for signatures, by their ids.

import Contracts

package enum KeySetProblem: Error, Equatable, Sendable {
  case tooLong
  /// Not a JSON object with a list `keys`, or one with a member twice.
  case malformed
  case tooManyKeys
}

package struct KeySet: Sendable, Equatable {
  private let keys: [JSONString: VerificationKey]

  package static let longestDocument = 64 << 10
  /// Far more than any rotation keeps, and few enough to be searched by anybody.
  package static let mostKeys = 64

  /// Keys of other types and for other uses are passed over, for other people may use the same document; so are keys
  /// that cannot be right. A document without a key for us is one that lets nobody in.
  package init(parsing document: Span<UInt8>) throws(KeySetProblem) {
    guard document.count <= Self.longestDocument else { throw .tooLong }
    let value: JSONValue
    do {
      value = try JSONValue(parsing: document, duplicateKeys: .refused)
    } catch {
      throw .malformed
    }
    guard let list = value.object?["keys"]?.array else { throw .malformed }
    guard list.count <= Self.mostKeys else { throw .tooManyKeys }
    var keys: [JSONString: VerificationKey] = [:]
    var ambiguous: Set<JSONString> = []
    for entry in list {
      guard let (id, key) = Self.key(entry) else { continue }
      // Two keys under one id: nobody knows which is meant, so neither is.
      if let other = keys[id], other != key { ambiguous.insert(id) }
      keys[id] = key
    }
    for id in ambiguous { keys[id] = nil }
    self.keys = keys
  }

  package var count: Int { keys.count }

  func key(_ id: String) -> VerificationKey? { keys[JSONString(id)] }

  private static func key(_ entry: JSONValue) -> (JSONString, VerificationKey)? {
    guard let entry = entry.object, entry["kty"] == .string("OKP"), entry["crv"] == .string("Ed25519"),
      let id = entry["kid"]?.text, !id.isEmpty, id.utf8.count <= Identifier.maximumBytes
    else { return nil }
    if let algorithm = entry["alg"], algorithm != .string(ReadToken.algorithm) { return nil }
    if let use = entry["use"], use != .string("sig") { return nil }
    if let operations = entry["key_ops"], operations.texts?.contains("verify") != true { return nil }
    // Whoever publishes a private key has lost it.
    guard entry["d"] == nil else { return nil }
    let x = Array((entry["x"]?.text ?? "").utf8)
    guard let raw = Base64URL.decode(x.span), let key = VerificationKey(raw: raw) else { return nil }
    return (JSONString(id), key)
  }
}
