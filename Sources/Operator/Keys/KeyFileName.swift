// How the files of a pair are called: `2026-03-01.resolver.<key id>.pem`, the same for both halves. The key id is what
// grants say, so a file can be found by it; the date is part of the name because git and copies keep no other; the
// name in the middle is the operator's, where one was chosen.

struct KeyFileName: Equatable, Sendable {
  /// `2026-03-01`; nil where somebody else named the file.
  let date: String?
  let name: String?
  /// 32 digits of lower-case hex.
  let keyId: String

  init(date: String?, name: String?, keyId: String) { (self.date, self.name, self.keyId) = (date, name, keyId) }

  /// Nil for a file that is not called so.
  init?(_ fileName: String) {
    guard fileName.hasSuffix(Self.suffix) else { return nil }
    var parts = fileName.dropLast(Self.suffix.count).split(separator: ".", omittingEmptySubsequences: false)
    guard let keyId = parts.popLast().map(String.init), Self.isKeyId(keyId) else { return nil }
    let date = parts.first.map(String.init).flatMap { Self.isDate($0) ? $0 : nil }
    if date != nil { parts.removeFirst() }
    guard parts.count <= 1 else { return nil }
    let name = parts.first.map(String.init)
    if let name, !Self.isName(name) { return nil }
    self.init(date: date, name: name, keyId: keyId)
  }

  static let suffix = ".pem"

  var text: String { [date, name, keyId].compactMap(\.self).joined(separator: ".") + Self.suffix }

  /// While it is being written; hidden, and no name of a key.
  var partText: String { ".\(text).part" }

  /// The name of the file that a part was to become.
  init?(part fileName: String) {
    guard fileName.hasPrefix("."), fileName.hasSuffix(".part") else { return nil }
    self.init(String(fileName.dropFirst().dropLast(".part".count)))
  }

  static func isKeyId(_ text: String) -> Bool {
    text.utf8.count == 32
      && text.utf8.allSatisfy { isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
  }

  /// What an operator may call a pair: safe in every shell, never taken for a key id, a date or an option.
  static func isName(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard (1...40).contains(bytes.count), let first = bytes.first, isLetter(first) || isDigit(first) else {
      return false
    }
    let isPlain = bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    return isPlain && !isKeyId(text) && !isDate(text)
  }

  static let allowedNames =
    "1 to 40 lower-case letters, digits, - and _, beginning with a letter or digit, and neither a date nor a key id"

  private static func isDate(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return bytes.count == 10
      && bytes.indices.allSatisfy { $0 == 4 || $0 == 7 ? bytes[$0] == UInt8(ascii: "-") : isDigit(bytes[$0]) }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
}
