// What the vectors of enc:1 and enc:2 have in common: values, texts that are no values, and damage.

import Contracts
import Grants
import Secrets

enum FieldCases {
  static let reasons = ["ciphertext-malformed", "decrypt-failed", "ciphertext-tampered-or-wrong-key"]
  static let notes = [
    Note("Basic", "BASIC", "Ordinary values of every JSON type."),
    Note("Unicode", "FUNCTIONALITY", "Characters of two to four bytes, and names that only look alike."),
    Note("Deep", "EDGE_CASE", "Nesting down to 2,048 levels opens; one more does not."),
    Note(
      "Repair", "EDGE_CASE", "Bytes that are not UTF-8 are replaced as in browsers; one byte-order mark is dropped."),
    Note("NotJSON", "FUNCTIONALITY", "What GCM opens is not the text of one JSON value."),
    Note("Envelope", "FUNCTIONALITY", "The text around iv and ciphertext is not as it should be."),
    Note("NonceLength", "WEAK_PARAMS", "An iv has 12 bytes, whatever GCM itself would take."),
    Note("Tampered", "AUTH_BYPASS", "Something was changed, cut or made under another key."),
  ]

  /// What opens: a comment, its flags, the sealed bytes, and the text that a reader goes on with.
  static func opening(
    _ made: (_ comment: String, _ flags: [String], _ message: [UInt8], _ json: String) throws -> Test
  ) throws -> [Test] {
    let same: [(String, String, String)] = [
      ("a string", "Basic", "\"hello\""), ("an empty string", "Basic", "\"\""), ("a number", "Basic", "-12.50e+3"),
      ("a large number", "Basic", "1e999"), ("true", "Basic", "true"), ("false", "Basic", "false"),
      ("null", "Basic", "null"), ("a list", "Basic", "[1,\"two\",[],{}]"),
      ("an object whose order stays", "Basic", "{\"b\":1,\"a\":[true,null]}"),
      ("white space around the value", "Basic", " \t\r\n{ \"a\" : 1 }\n"),
      ("a member that stands twice", "Basic", "{\"a\":1,\"a\":2}"),
      ("escapes of every kind", "Unicode", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\""),
      ("umlauts and an astral character", "Unicode", "\"Gr\u{FC}\u{DF}e \u{1F600}\""),
      ("composed and decomposed", "Unicode", "\"\(Material.composed) \(Material.decomposed)\""),
      ("line and paragraph separators", "Unicode", "\"\u{2028}\u{2029}\""),
      ("5,000 characters", "Basic", "\"" + String(repeating: "0123456789", count: 500) + "\""),
      ("2,048 levels", "Deep", String(repeating: "[", count: 2048) + String(repeating: "]", count: 2048)),
    ]
    let repaired: [(String, [UInt8], String)] = [
      ("a byte-order mark", [0xEF, 0xBB, 0xBF] + Array("\"x\"".utf8), "\"x\""),
      ("a byte that begins nothing", [0x22, 0xFF, 0x22], "\"\u{FFFD}\""),
      ("a continuation alone", [0x22, 0x80, 0x41, 0x22], "\"\u{FFFD}A\""),
      ("a character cut short", [0x22, 0xE2, 0x82, 0x22], "\"\u{FFFD}\""),
      ("an astral character cut short", [0x22, 0xF0, 0x9F, 0x98, 0x41, 0x22], "\"\u{FFFD}A\""),
      ("an overlong slash", [0x22, 0xC0, 0xAF, 0x22], "\"\u{FFFD}\u{FFFD}\""),
      ("a surrogate in UTF-8", [0x22, 0xED, 0xA0, 0xBD, 0x22], "\"\u{FFFD}\u{FFFD}\u{FFFD}\""),
      ("above U+10FFFF", [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], "\"\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\""),
      ("a byte-order mark inside", [0x22, 0xEF, 0xBB, 0xBF, 0x22], "\"\u{FEFF}\""),
    ]
    return try same.map { try made($0.0, [$0.1], Array($0.2.utf8), $0.2) }
      + repaired.map { try made($0.0, ["Repair"], $0.1, $0.2) }
  }

  /// What GCM opens and no reader goes on with.
  static func refusedTexts(
    _ made: (_ comment: String, _ flags: [String], _ message: [UInt8]) throws -> Test
  ) throws -> [Test] {
    let texts: [(String, String, String)] = [
      ("no quotes", "NotJSON", "hello"), ("nothing", "NotJSON", ""), ("white space alone", "NotJSON", " \n"),
      ("two values", "NotJSON", "1 2"), ("a comma too many", "NotJSON", "[1,]"), ("a quote too few", "NotJSON", "\"x"),
      ("a line end in a string", "NotJSON", "\"a\nb\""), ("a leading zero", "NotJSON", "01"),
      ("a leading plus", "NotJSON", "+1"), ("NaN", "NotJSON", "NaN"), ("Infinity", "NotJSON", "-Infinity"),
      ("a comment", "NotJSON", "1//"), ("single quotes", "NotJSON", "'x'"),
      ("an unknown escape", "NotJSON", "\"\\x41\""),
      ("half a surrogate pair", "NotJSON", "\"\\ud83d\""), ("the other half", "NotJSON", "\"\\ude00\""),
      ("two byte-order marks", "NotJSON", "\u{FEFF}\u{FEFF}1"), ("a no-break space", "NotJSON", "\u{A0}1"),
      ("2,049 levels", "Deep", String(repeating: "[", count: 2049) + String(repeating: "]", count: 2049)),
    ]
    return try texts.map { try made($0.0, [$0.1], Array($0.2.utf8)) }
      + [made("a broken byte outside a string", ["NotJSON"], [0x31, 0xFF])]
  }

  static func damaged(_ iv: [UInt8], _ sealed: [UInt8]) -> [(String, [String], [UInt8], [UInt8])] {
    [
      ("the first byte of the iv", ["Tampered"], flipped(iv, at: 0), sealed),
      ("the last byte of the iv", ["Tampered"], flipped(iv, at: -1), sealed),
      ("the first byte of the ciphertext", ["Tampered"], iv, flipped(sealed, at: 0)),
      ("the last byte of the ciphertext", ["Tampered"], iv, flipped(sealed, at: -17)),
      ("the first byte of the tag", ["Tampered"], iv, flipped(sealed, at: -16)),
      ("the last byte of the tag", ["Tampered"], iv, flipped(sealed, at: -1)),
      ("a tag that is one byte short", ["Tampered"], iv, Array(sealed.dropLast())),
      ("one byte behind the tag", ["Tampered"], iv, sealed + [0]),
      ("the tag alone", ["Tampered"], iv, Array(sealed.suffix(16))),
      ("15 bytes", ["Tampered"], iv, Array(sealed.suffix(15))),
      ("a tag of zeroes", ["Tampered"], iv, sealed.dropLast(16) + [UInt8](repeating: 0, count: 16)),
    ]
  }

  /// The last character's neighbour in the alphabet: the same bytes, other left-over bits.
  static func withLooseBits(_ bare: String) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    guard let last = bare.last, let index = alphabet.firstIndex(of: last) else {
      preconditionFailure("base64 ends in a character of its alphabet")
    }
    return bare.dropLast() + String(alphabet[index + 1])
  }

  static func isJSON(_ text: String, _ value: OpenedValue, _ plaintext: borrowing WipedBytes) -> Bool {
    let wanted = Array(text.utf8)
    return ConstantTime.equal(plaintext.bytes.extracting(value.range), wanted.span)
  }
}
