// Reads the words of a Swift file and leaves comments and literals out, so that a rule about code is not fooled by
// a sentence about code. The toolchain's own parser is no library that a package can link without fetching one, and
// its modules hold no promise between versions; what the rules need of the grammar is this page. When it loses its
// way it says so, and the rule fails.

struct SwiftWords {
  private let bytes: [UInt8]
  private var position = 0
  private var line = 1
  private var words: [Word] = []
  private var lastEnd = -1
  private(set) var problem: String?

  init(_ text: String) { bytes = Array(text.utf8) }

  mutating func read() -> [Word] {
    while position < bytes.count, problem == nil { readOne() }
    return words
  }

  private mutating func readOne() {
    let byte = bytes[position]
    switch byte {
    case Self.newline:
      line += 1
      position += 1
    case Self.space, Self.tab: position += 1
    case Self.slash where at(1) == Self.slash: skipLineComment()
    case Self.slash where at(1) == Self.star: skipBlockComment()
    case Self.quote: skipString(hashes: 0)
    case Self.hash where hashesBefore(Self.quote) > 0: skipString(hashes: hashesBefore(Self.quote))
    case Self.hash where hashesBefore(Self.slash) > 0: skipRegex(hashes: hashesBefore(Self.slash))
    case Self.backtick: position += 1
    case Self.at where Self.isName(at(1)), Self.hash where Self.isName(at(1)): readName(prefix: 1)
    case _ where Self.isName(byte): readName(prefix: 0)
    default: append(length: 1)
    }
  }

  // MARK: Words

  private mutating func readName(prefix: Int) {
    var length = prefix
    while Self.isName(at(length)) { length += 1 }
    append(length: length)
  }

  private mutating func append(length: Int) {
    let text = String(decoding: bytes[position..<position + length], as: UTF8.self)
    words.append(Word(text: text, line: line, glued: position == lastEnd))
    position += length
    lastEnd = position
  }

  // MARK: What is left out

  private mutating func skipLineComment() {
    while position < bytes.count, bytes[position] != Self.newline { position += 1 }
  }

  /// Block comments nest.
  private mutating func skipBlockComment() {
    let start = line
    var depth = 0
    repeat {
      if at(0) == Self.slash, at(1) == Self.star {
        depth += 1
        position += 2
      } else if at(0) == Self.star, at(1) == Self.slash {
        depth -= 1
        position += 2
      } else {
        step()
      }
    } while depth > 0 && position < bytes.count
    if depth > 0 { problem = "a comment that begins in line \(start) does not end" }
  }

  /// From the opening delimiter to behind the closing one; what is interpolated is code and is read as such.
  private mutating func skipString(hashes: Int) {
    let start = line
    position += hashes
    let isLong = at(1) == Self.quote && at(2) == Self.quote
    let quotes = isLong ? 3 : 1
    position += quotes
    while position < bytes.count, problem == nil {
      if closes(Self.quote, quotes, hashes) {
        position += quotes + hashes
        return
      }
      if bytes[position] == Self.newline, !isLong { break }
      if bytes[position] == Self.backslash, hashesFollow(1, hashes) {
        position += 1 + hashes
        if at(0) == Self.open { readInterpolation() } else { step() }
      } else {
        step()
      }
    }
    if problem == nil { problem = "a string that begins in line \(start) does not end" }
  }

  private mutating func readInterpolation() {
    var depth = 0
    repeat {
      if bytes[position] == Self.open { depth += 1 }
      if bytes[position] == Self.close { depth -= 1 }
      readOne()
    } while depth > 0 && position < bytes.count && problem == nil
  }

  /// Only the spelling with hashes is read: a bare slash cannot be told from a division without the whole grammar,
  /// and a bare regex with a quote in it ends in `problem`.
  private mutating func skipRegex(hashes: Int) {
    let start = line
    position += hashes + 1
    while position < bytes.count {
      if closes(Self.slash, 1, hashes) {
        position += 1 + hashes
        return
      }
      if bytes[position] == Self.backslash { step() }
      step()
    }
    problem = "a regex that begins in line \(start) does not end"
  }

  // MARK: Looking ahead

  private func at(_ offset: Int) -> UInt8 { position + offset < bytes.count ? bytes[position + offset] : 0 }

  private mutating func step() {
    if at(0) == Self.newline { line += 1 }
    position += 1
  }

  /// How many hashes stand here before `byte`; none when something else follows them.
  private func hashesBefore(_ byte: UInt8) -> Int {
    var count = 0
    while at(count) == Self.hash { count += 1 }
    return at(count) == byte ? count : 0
  }

  private func hashesFollow(_ offset: Int, _ count: Int) -> Bool {
    (0..<count).allSatisfy { at(offset + $0) == Self.hash }
  }

  private func closes(_ byte: UInt8, _ count: Int, _ hashes: Int) -> Bool {
    (0..<count).allSatisfy { at($0) == byte } && hashesFollow(count, hashes)
  }

  private static func isName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...: true
    default: false
    }
  }

  private static let newline = UInt8(ascii: "\n")
  private static let space = UInt8(ascii: " ")
  private static let tab = UInt8(ascii: "\t")
  private static let slash = UInt8(ascii: "/")
  private static let star = UInt8(ascii: "*")
  private static let quote = UInt8(ascii: "\"")
  private static let hash = UInt8(ascii: "#")
  private static let at = UInt8(ascii: "@")
  private static let backtick = UInt8(ascii: "`")
  private static let backslash = UInt8(ascii: "\\")
  private static let open = UInt8(ascii: "(")
  private static let close = UInt8(ascii: ")")
}
