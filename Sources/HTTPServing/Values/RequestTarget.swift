// Path and query of a request target, decoded once and strictly: what could mean another resource to somebody else is
// refused.

enum RequestTarget {
  struct Decoded {
    var segments: [String]
    var query: [HTTPRequest.QueryItem]
  }

  /// Nil for a broken percent sign, a NUL, bytes that are not UTF-8, a dot segment, and an encoded slash or backslash,
  /// which some readers would take for a separator.
  static func decode(_ target: Span<UInt8>) -> Decoded? {
    var end = 0
    while end < target.count, target[end] != UInt8(ascii: "?") { end += 1 }
    guard target.count > 0, target[0] == UInt8(ascii: "/") else { return nil }
    guard let segments = segments(of: target.extracting(1..<end)) else { return nil }
    guard end < target.count else { return Decoded(segments: segments, query: []) }
    guard let query = items(of: target.extracting((end + 1)..<target.count)) else { return nil }
    return Decoded(segments: segments, query: query)
  }

  private static func segments(of path: Span<UInt8>) -> [String]? {
    guard !path.isEmpty else { return [] }
    var segments: [String] = []
    for range in split(path, at: UInt8(ascii: "/")) {
      guard let bytes = unescape(path.extracting(range), plusIsSpace: false) else { return nil }
      guard !bytes.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }) else { return nil }
      guard let segment = String(validating: bytes, as: UTF8.self), segment != ".", segment != ".." else { return nil }
      segments.append(segment)
    }
    return segments
  }

  private static func items(of query: Span<UInt8>) -> [HTTPRequest.QueryItem]? {
    var items: [HTTPRequest.QueryItem] = []
    for range in split(query, at: UInt8(ascii: "&")) where !range.isEmpty {
      let item = query.extracting(range)
      var equals = 0
      while equals < item.count, item[equals] != UInt8(ascii: "=") { equals += 1 }
      let value = item.extracting(min(equals + 1, item.count)..<item.count)
      guard let name = text(item.extracting(0..<equals)), let value = text(value) else { return nil }
      items.append(HTTPRequest.QueryItem(name: name, value: value))
    }
    return items
  }

  private static func text(_ bytes: Span<UInt8>) -> String? {
    unescape(bytes, plusIsSpace: true).flatMap { String(validating: $0, as: UTF8.self) }
  }

  private static func unescape(_ bytes: Span<UInt8>, plusIsSpace: Bool) -> [UInt8]? {
    var plain: [UInt8] = []
    plain.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      var byte = bytes[index]
      if byte == UInt8(ascii: "%") {
        guard index + 2 < bytes.count, let high = RequestBytes.hexValue(bytes[index + 1]),
          let low = RequestBytes.hexValue(bytes[index + 2])
        else { return nil }
        byte = high << 4 | low
        guard byte != 0 else { return nil }
        index += 2
      } else if plusIsSpace, byte == UInt8(ascii: "+") {
        byte = RequestBytes.space
      }
      plain.append(byte)
      index += 1
    }
    return plain
  }

  private static func split(_ bytes: Span<UInt8>, at separator: UInt8) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    for index in bytes.indices where bytes[index] == separator {
      ranges.append(start..<index)
      start = index + 1
    }
    ranges.append(start..<bytes.count)
    return ranges
  }
}
