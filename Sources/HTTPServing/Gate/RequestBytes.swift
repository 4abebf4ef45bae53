// Which bytes may stand where in a request: RFC 9110 and 9112, without what they tolerate for old peers.

enum RequestBytes {
  static let carriageReturn: UInt8 = 0x0D
  static let lineFeed: UInt8 = 0x0A
  static let space: UInt8 = 0x20
  static let tab: UInt8 = 0x09

  /// `tchar`: what methods and header names are made of.
  static func isToken(_ byte: UInt8) -> Bool { classes[Int(byte)] & tokenBit != 0 }

  /// `pchar`, `/` and `?`: an origin-form target. Everything else must come percent-encoded.
  static func isTarget(_ byte: UInt8) -> Bool { classes[Int(byte)] & targetBit != 0 }

  /// A header's value: printable ASCII, space and tab. Bytes above would mean one thing to us and another to the next
  /// reader, so they are refused with the control bytes.
  static func isValue(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte < 0x7F) || byte == tab }

  /// What a host and a port may consist of, brackets of IPv6 included.
  static func isHost(_ byte: UInt8) -> Bool { classes[Int(byte)] & hostBit != 0 }

  static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  static func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }

  static func lowered(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }

  /// Compares a name with one that is written in lower case.
  static func equal(_ name: Span<UInt8>, lowercase: StaticString) -> Bool {
    guard name.count == lowercase.utf8CodeUnitCount else { return false }
    return lowercase.withUTF8Buffer { other in
      for index in name.indices where unsafe lowered(name[index]) != other[index] { return false }
      return true
    }
  }

  private static let tokenBit: UInt8 = 1
  private static let targetBit: UInt8 = 2
  private static let hostBit: UInt8 = 4

  private static let classes: [UInt8] = {
    var table = [UInt8](repeating: 0, count: 256)
    func mark(_ text: String, _ bit: UInt8) { for byte in text.utf8 { table[Int(byte)] |= bit } }
    let alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    mark(alphanumeric + "!#$%&'*+-.^_`|~", tokenBit)
    mark(alphanumeric + "-._~%!$&'()*+,;=:@/?", targetBit)
    mark(alphanumeric + "-._~:[]", hostBit)
    return table
  }()
}
