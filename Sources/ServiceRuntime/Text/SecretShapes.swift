// The last line of defence of logs and error texts: what looks like a secret is not written, even where a caller
// was careless. Types keep keys out of text in the first place; this catches what came in as text.

package enum SecretShapes {
  package static let replacement = "<redacted>"

  /// True for a text that contains a PEM block, one of our sealed values, a JSON web token, a URL with a password, or
  /// a password in the form of a query or a connection string. Rather too often than too seldom.
  package static func match(_ text: String) -> Bool { match(Array(text.utf8)) }

  static func match(_ text: [UInt8]) -> Bool {
    guard mayMatch(text) else { return false }
    let lower = text.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 }
    return marks.contains { lower.holds($0) } || holdsToken(text) || holdsPasswordInURL(text)
  }

  /// False where no shape can be, decided in one pass: most of what is logged is an id or a word, and searching each
  /// for every shape made a log line cost more than the request that it is about. Each shape below needs one of these.
  private static func mayMatch(_ text: [UInt8]) -> Bool {
    var dashes = 0
    for byte in text {
      switch byte {
      case UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: "."): return true
      case UInt8(ascii: "-"):
        dashes += 1
        if dashes == 5 { return true }
      default: dashes = 0
      }
    }
    return false
  }

  /// In lower case, as they are looked for without regard to case.
  private static let marks = ["-----begin", "enc:1:", "enc:2:", "password=", "passwd="].map { Array($0.utf8) }

  /// `eyJ` is an encoded `{"`, with which the header of every JSON web token begins; a dot and a second part follow.
  private static func holdsToken(_ text: [UInt8]) -> Bool {
    let runs = text.split { !isTokenByte($0) }
    return runs.contains { run in
      let parts = run.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
      return zip(parts, parts.dropFirst()).contains { $0.count >= 8 && $0.holds(header) && $1.count >= 4 }
    }
  }

  private static let header = Array("eyJ".utf8)

  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  /// `://`, then a `:` and later an `@` before the next space or quote. A password may hold any other byte, so a
  /// `/` does not end the search.
  private static func holdsPasswordInURL(_ text: [UInt8]) -> Bool {
    let words = text.split { $0 <= 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") }
    return words.contains { word in
      guard let start = word.firstRange(of: Array("://".utf8))?.upperBound else { return false }
      let rest = word[start...]
      guard let at = rest.lastIndex(of: UInt8(ascii: "@")) else { return false }
      return rest[..<at].contains(UInt8(ascii: ":"))
    }
  }
}

extension Collection where Element == UInt8 {
  fileprivate func holds(_ mark: [UInt8]) -> Bool { firstRange(of: mark) != nil }
}
