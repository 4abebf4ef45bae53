// A sealed field as it stands in a record: `enc:1:<b64 iv>.<b64 ct‖tag>` or `enc:2:…`, taken apart but not opened.

package enum FieldEnvelopeProblem: Error, Equatable {
  /// No dot, or not the version's six bytes in front: not an envelope.
  case missingSeparator
  case base64
  case ivLength
}

package struct FieldEnvelope: Equatable, Sendable {
  package enum Version: Sendable { case one, two }

  package let version: Version
  /// What `decoded` is the beginning of; longer where an earlier envelope needed more.
  private var storage: [UInt8]
  private let count: Int

  package static let ivBytes = 12
  /// `enc:`, a digit, `:`.
  private static let prefixBytes = 6

  /// iv ‖ ciphertext ‖ tag: what a sealed copy's `of` is the SHA-256 of, however the base64 was spelled.
  package var decoded: Span<UInt8> { @_lifetime(borrow self) borrowing get { storage.span.extracting(first: count) } }
  package var iv: Span<UInt8> { @_lifetime(borrow self) borrowing get { decoded.extracting(first: Self.ivBytes) } }
  package var sealed: Span<UInt8> {
    @_lifetime(borrow self) borrowing get { decoded.extracting(droppingFirst: Self.ivBytes) }
  }

  package static func == (left: FieldEnvelope, right: FieldEnvelope) -> Bool {
    left.version == right.version && left.storage.prefix(left.count) == right.storage.prefix(right.count)
  }

  package init(version: Version, iv: [UInt8], sealed: [UInt8]) {
    precondition(iv.count == Self.ivBytes, "our formats fix the IV at 12 bytes")
    self.version = version
    storage = iv + sealed
    count = storage.count
  }

  /// The version that the first six bytes claim, or nil for a value that is no envelope at all.
  package static func version(of text: Span<UInt8>) -> Version? {
    guard text.count >= prefixBytes, startsWithEnc(text), text[5] == UInt8(ascii: ":") else { return nil }
    switch text[4] {
    case UInt8(ascii: "1"): return .one
    case UInt8(ascii: "2"): return .two
    default: return nil
    }
  }

  /// `enc:`, digits, `:` of a version that this program does not know. Such a value fails closed in v2: it is
  /// ciphertext from the future, not text for a prompt.
  package static func isOfUnknownVersion(_ text: Span<UInt8>) -> Bool {
    guard version(of: text) == nil, startsWithEnc(text) else { return false }
    var index = 4
    while index < text.count, (0x30...0x39).contains(text[index]) { index += 1 }
    return index > 4 && index < text.count && text[index] == UInt8(ascii: ":")
  }

  /// Splits at the first dot, reads both halves in the version's dialect of base64, then looks at the IV's length:
  /// the order in which the seeds' reader reports what is wrong.
  /// `buffer` is memory that an earlier envelope has given back; what it holds is overwritten.
  package init(
    parsing text: Span<UInt8>, as version: Version, reusing buffer: consuming [UInt8] = []
  ) throws(FieldEnvelopeProblem) {
    guard Self.version(of: text) == version else { throw .missingSeparator }
    let body = text.extracting(droppingFirst: Self.prefixBytes)
    guard let dot = Self.firstDot(in: body) else { throw .missingSeparator }
    let room = Base64.decodedBytes(atMost: body.count) + 3  // Each half may be rounded up to a group.
    if buffer.count < room { buffer = [UInt8](repeating: 0, count: room) }
    var output = buffer.mutableSpan
    guard let ivCount = Self.decode(body.extracting(first: dot), version, into: &output) else { throw .base64 }
    var rest = output._mutatingExtracting(droppingFirst: ivCount)
    guard let sealedCount = Self.decode(body.extracting(droppingFirst: dot + 1), version, into: &rest) else {
      throw .base64
    }
    guard ivCount == Self.ivBytes else { throw .ivLength }
    self.version = version
    storage = buffer
    count = ivCount + sealedCount
  }

  /// The memory of an envelope that is no longer needed.
  package consuming func recycled() -> [UInt8] { storage }

  private static func decode(
    _ text: Span<UInt8>, _ version: Version, into output: inout MutableSpan<UInt8>
  ) -> Int? {
    switch version {
    case .one: Base64.decodeForgiving(text, into: &output)
    case .two: Base64.decodeStrict(text, into: &output)
    }
  }

  package var text: String {
    (version == .one ? "enc:1:" : "enc:2:") + Base64.encode(iv) + "." + Base64.encode(sealed)
  }

  private static func startsWithEnc(_ text: Span<UInt8>) -> Bool {
    text.count >= 4 && text[0] == UInt8(ascii: "e") && text[1] == UInt8(ascii: "n") && text[2] == UInt8(ascii: "c")
      && text[3] == UInt8(ascii: ":")
  }

  private static func firstDot(in text: Span<UInt8>) -> Int? {
    var index = 0
    while index < text.count, text[index] != UInt8(ascii: ".") { index &+= 1 }
    return index < text.count ? index : nil
  }
}
