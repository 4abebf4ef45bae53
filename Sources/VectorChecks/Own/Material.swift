// The inputs that the cases are made from: fixed, spelled out or hashed from a sentence, and never used elsewhere.

import Contracts
import Cryptography
import Grants
import Secrets

/// Key bytes of published cases. Secrets of anybody's are never arrays; these are nobody's.
typealias PublishedBytes = [UInt8]

enum Material {
  /// 01 02 … 20.
  static let master: PublishedBytes = Array(1...32)
  static let otherMaster = seeded("another master key", 32)
  static let user = "user-4f21"
  static let mission = "mission-abc"
  static let grantId = "6b1d2f0a-93c4-4e57-8a1b-0c2d3e4f5a6b"
  static let otherGrantId = "0e9d8c7b-6a5f-4e3d-9c2b-1a0f9e8d7c6b"
  static let issuedAt = "2026-11-20T07:00:00.000Z"
  static let expiresAt = "2026-11-27T07:00:00.000Z"
  static let during = "2026-11-21T12:34:56.789Z"
  /// "é" in one scalar and in two: the same to Swift's String, different records to us.
  static let composed = "caf\u{E9}"
  static let decomposed = "cafe\u{301}"
  static let longestId = String(repeating: "x", count: 254) + "\u{E9}"

  /// SHA-256 in counter mode over a sentence.
  static func seeded(_ sentence: String, _ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var block = 0
    while bytes.count < count {
      bytes += SHA256.digest(Array("mandate test vector: \(sentence) / \(block)".utf8))
      block += 1
    }
    return Array(bytes.prefix(count))
  }

  static func nonce(_ sentence: String) -> [UInt8] { seeded("nonce of \(sentence)", 12) }

  static func hkdf(_ master: PublishedBytes, salt: [UInt8], info: [UInt8]) throws -> PublishedBytes {
    var hkdf = try HKDFSHA256()
    let key: SecretBytes = try hkdf.derive(ikm: master.span, salt: salt.span, info: info.span)
    return published(key.bytes)
  }

  static func published(_ span: Span<UInt8>) -> PublishedBytes { [UInt8](copying: span) }

  static func sealed(_ message: [UInt8], key: PublishedBytes, iv: [UInt8], aad: [UInt8] = []) throws -> [UInt8] {
    var cipher = try AESGCM()
    return try cipher.seal(message.span, key: key.span, iv: iv.span, aad: aad.span)
  }

  /// A field's text with halves of any length, where `FieldEnvelope` knows only good ones.
  static func envelope(_ version: Int, _ iv: [UInt8], _ sealed: [UInt8]) -> String {
    "enc:\(version):" + Base64.encode(iv.span) + "." + Base64.encode(sealed.span)
  }

  static func frame(_ parts: [[UInt8]]) -> [UInt8] {
    var frame = Frame()
    for part in parts { frame.add(part) }
    return frame.bytes
  }

  static func frame(_ parts: String...) -> [UInt8] { frame(parts.map { Array($0.utf8) }) }
}

extension JSONValue {
  static func hex(_ bytes: [UInt8]) -> JSONValue { .string(Hex.encode(bytes)) }
  static func strings(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }
  static func text(_ text: String) -> JSONValue { .string(text) }

  /// A copy with another value at the end of `path`, or without that member.
  func with(_ path: [String], _ value: JSONValue?) -> JSONValue {
    guard let name = path.first, var object else { preconditionFailure("a path leads through objects") }
    let inner = path.count == 1 ? value : (object[name] ?? .null).with(Array(path.dropFirst()), value)
    if let inner {
      object.set(name, inner)
      return .object(object)
    }
    return .object(JSONObject(object.members.filter { $0.key != JSONString(name) }.map { ($0.key, $0.value) }))
  }
}

/// A flipped bit at a place that counts from the front or, below zero, from the end.
func flipped(_ bytes: [UInt8], at place: Int) -> [UInt8] {
  var changed = bytes
  changed[place < 0 ? bytes.count + place : place] ^= 1
  return changed
}

extension Outcome {
  static func expect(_ condition: Bool, _ what: @autoclosure () -> String) -> Outcome {
    condition ? .passed : .failed(what())
  }
}
