// The lines of a text file one by one, without the white space at their ends. Bytes and not characters: tens of
// thousands of cases must not make a debug build crawl.

struct TextLines {
  private let bytes: [UInt8]
  private var offset = 0
  /// The number of the line that was read last, from 1 on.
  private(set) var number = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  mutating func next() -> TextLine? {
    guard offset < bytes.count else { return nil }
    var end = offset
    while end < bytes.count, bytes[end] != 0x0A { end += 1 }
    defer { offset = end + 1 }
    number += 1
    return TextLine(bytes[offset..<end])
  }

  /// How many lines satisfy the condition.
  static func count(in text: String, where matches: (TextLine) -> Bool) -> Int {
    var (lines, found) = (TextLines(text), 0)
    while let line = lines.next() { found += matches(line) ? 1 : 0 }
    return found
  }

  /// True if one of the first `limit` lines satisfies the condition: enough to see what a file is.
  static func start(of text: String, lines limit: Int = 400, holds matches: (TextLine) -> Bool) -> Bool {
    var lines = TextLines(String(text.prefix(utf8Bytes: 1 << 16)))
    while lines.number < limit, let line = lines.next() {
      if matches(line) { return true }
    }
    return false
  }
}

struct TextLine {
  private let bytes: ArraySlice<UInt8>

  init(_ untrimmed: ArraySlice<UInt8>) {
    var (start, end) = (untrimmed.startIndex, untrimmed.endIndex)
    while start < end, Self.isSpace(untrimmed[start]) { start += 1 }
    while end > start, Self.isSpace(untrimmed[end - 1]) { end -= 1 }
    bytes = untrimmed[start..<end]
  }

  var isEmpty: Bool { bytes.isEmpty }
  var text: String { String(decoding: bytes, as: UTF8.self) }
  var first: UInt8? { bytes.first }

  func starts(with prefix: String) -> Bool { bytes.starts(with: prefix.utf8) }

  /// What stands on either side of the first `=`; nil without one.
  func pair() -> (name: String, value: TextLine)? {
    guard let sign = bytes.firstIndex(of: UInt8(ascii: "=")) else { return nil }
    return (TextLine(bytes[..<sign]).text, TextLine(bytes[(sign + 1)...]))
  }

  /// What stands between `[` and `]`; nil for any other line.
  func bracketed() -> TextLine? {
    guard bytes.count >= 2, bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") else { return nil }
    return TextLine(bytes[(bytes.startIndex + 1)..<(bytes.endIndex - 1)])
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}

extension String {
  /// The first bytes, cut between characters.
  fileprivate func prefix(utf8Bytes limit: Int) -> Substring {
    guard utf8.count > limit, let end = utf8.index(startIndex, offsetBy: limit).samePosition(in: unicodeScalars) else {
      return utf8.count > limit ? self.prefix(limit) : self[...]
    }
    return self[..<end]
  }
}
