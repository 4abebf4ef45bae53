// From the text of a key file to its DER. The rules are those of the system that wrote the files (every armour line
// goes, then every character that JavaScript calls white space, then forgiving base64), so that each of us loads
// what the other loads. Text and DER of a private key are in locked memory all the way.

import COpenSSL
import Secrets

struct KeyText: ~Copyable {
  /// A PEM of 4096 bits has 3,272 bytes; this leaves room for every way to spell it.
  static let longestText = 1 << 16

  private let decoded: SecretBytes
  private let count: Int

  /// The DER.
  var bytes: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { decoded.bytes.extracting(0..<count) }
  }

  init(_ text: Span<UInt8>) throws(KeyLoadError) {
    guard text.count <= Self.longestText else { throw .tooLong }
    var letters = try Self.locked(text.count + 4)
    var span = letters.mutableBytes
    var length = Self.gather(text, into: &span)
    guard length > 0 else { throw .empty }
    length = Self.dropPadding(span, length)
    guard length % 4 != 1, Self.areLetters(span, length) else { throw Self.explain(text) }

    // OpenSSL decodes whole groups of four: an unfinished one is filled with zero bits, and cut off again.
    let whole = (length + 3) / 4 * 4
    for index in length..<whole { span[index] = UInt8(ascii: "A") }
    var target = try Self.locked(whole / 4 * 3)
    var targetBytes = target.mutableBytes
    let done = unsafe span.withPointer { from, _ in
      unsafe targetBytes.withPointer { into, _ in unsafe EVP_DecodeBlock(into, from, Int32(whole)) }
    }
    guard Int(done) == whole / 4 * 3 else { throw .notBase64 }
    count = length * 3 / 4
    decoded = target
  }

  private static func locked(_ count: Int) throws(KeyLoadError) -> SecretBytes {
    do {
      return try lockedBytes(count)
    } catch {
      throw .door(error)
    }
  }

  /// Everything but armour and white space; returns how much that is.
  private static func gather(_ text: Span<UInt8>, into letters: inout MutableSpan<UInt8>) -> Int {
    var (position, length) = (0, 0)
    while position < text.count {
      let skipped = armour(text, at: position) ?? whiteSpace(text, at: position)
      if let skipped {
        position += skipped
      } else {
        letters[length] = text[position]
        length += 1
        position += 1
      }
    }
    return length
  }

  /// The length of `-----BEGIN …-----` or `-----END …-----` here; the label may be anything without a dash.
  static func armour(_ text: Span<UInt8>, at start: Int) -> Int? {
    for opening: StaticString in ["-----BEGIN ", "-----END "] where matches(text, at: start, opening) {
      var end = start + opening.utf8CodeUnitCount
      while end < text.count, text[end] != UInt8(ascii: "-") { end += 1 }
      guard matches(text, at: end, "-----") else { return nil }
      return end + 5 - start
    }
    return nil
  }

  static func matches(_ text: Span<UInt8>, at start: Int, _ word: StaticString) -> Bool {
    guard text.count - start >= word.utf8CodeUnitCount else { return false }
    for index in 0..<word.utf8CodeUnitCount {
      guard unsafe text[start + index] == word.utf8Start[index] else { return false }
    }
    return true
  }

  /// The length of a white space character of JavaScript here: ASCII's six, and in UTF-8 U+00A0, U+1680,
  /// U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000 and U+FEFF.
  private static func whiteSpace(_ text: Span<UInt8>, at start: Int) -> Int? {
    func byte(_ offset: Int) -> UInt8 { start + offset < text.count ? text[start + offset] : 0 }
    switch (byte(0), byte(1), byte(2)) {
    case (0x09...0x0D, _, _), (0x20, _, _): return 1
    case (0xC2, 0xA0, _): return 2
    case (0xE1, 0x9A, 0x80), (0xE2, 0x80, 0x80...0x8A), (0xE2, 0x80, 0xA8), (0xE2, 0x80, 0xA9), (0xE2, 0x80, 0xAF),
      (0xE2, 0x81, 0x9F), (0xE3, 0x80, 0x80), (0xEF, 0xBB, 0xBF):
      return 3
    default: return nil
    }
  }

  /// One or two signs at the end of a whole number of groups; anywhere else a sign is not base64.
  private static func dropPadding(_ letters: borrowing MutableSpan<UInt8>, _ length: Int) -> Int {
    guard length % 4 == 0, letters[length - 1] == UInt8(ascii: "=") else { return length }
    return letters[length - 2] == UInt8(ascii: "=") ? length - 2 : length - 1
  }

  private static func areLetters(_ letters: borrowing MutableSpan<UInt8>, _ length: Int) -> Bool {
    for index in 0..<length {
      switch letters[index] {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
        continue
      default: return false
      }
    }
    return true
  }

  /// The likeliest reason why text is not base64.
  private static func explain(_ text: Span<UInt8>) -> KeyLoadError {
    var keys = 0
    for index in text.indices {
      if matches(text, at: index, "\\n") { return .escapedNewlines }
      if matches(text, at: index, "-----BEGIN ") { keys += 1 }
    }
    return keys > 1 ? .trailingData : .notBase64
  }
}
