// Base64 in the alphabet of JOSE (RFC 7515, appendix C): `-` and `_`, no padding. One spelling per value: what decodes
// here is what encodes here, so nobody can write one token in two ways.

package enum Base64URL {
  package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    var standard: [UInt8] = []
    standard.reserveCapacity(text.count + 3)
    for index in text.indices {
      switch text[index] {
      case UInt8(ascii: "-"): standard.append(UInt8(ascii: "+"))
      case UInt8(ascii: "_"): standard.append(UInt8(ascii: "/"))
      case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): return nil
      case let byte: standard.append(byte)
      }
    }
    guard standard.count % 4 != 1 else { return nil }
    while !standard.count.isMultiple(of: 4) { standard.append(UInt8(ascii: "=")) }
    return Base64.decodeStrict(standard.span)
  }

  package static func encode(_ bytes: Span<UInt8>) -> String {
    var text: [UInt8] = []
    Base64.encode(bytes) { byte in
      switch byte {
      case UInt8(ascii: "+"): text.append(UInt8(ascii: "-"))
      case UInt8(ascii: "/"): text.append(UInt8(ascii: "_"))
      case UInt8(ascii: "="): break
      default: text.append(byte)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
