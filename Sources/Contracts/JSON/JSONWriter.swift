// Compact JSON text, byte for byte what JavaScript's JSON.stringify writes: no spaces; only `"`, `\` and control
// characters below U+0020 are escaped; never `/`, U+2028 or anything else outside ASCII.

extension JSONValue {
  package enum NumberSpelling: Sendable {
    /// The text the number was read with, so that reading and writing again changes nothing.
    case asWritten
    /// The shortest text of the double, as JavaScript would write it.
    case javaScript
  }

  package func compactText(numbers: NumberSpelling = .asWritten) -> String {
    String(decoding: compactBytes(numbers: numbers), as: UTF8.self)
  }

  package func compactBytes(numbers: NumberSpelling = .asWritten) -> [UInt8] {
    var bytes: [UInt8] = []
    write(numbers) { bytes.append($0) }
    return bytes
  }

  private func write(_ numbers: NumberSpelling, _ emit: (UInt8) -> Void) {
    switch self {
    case .null: Self.plain("null", emit)
    case .bool(let value): Self.plain(value ? "true" : "false", emit)
    case .number(let value):
      switch numbers {
      case .asWritten: Self.plain(value.text, emit)
      case .javaScript: Self.plain(value.double.isFinite ? value.javaScriptText : "null", emit)
      }
    case .string(let value): Self.quoted(value.text.utf8, emit)
    case .array(let elements):
      emit(UInt8(ascii: "["))
      for (position, element) in elements.enumerated() {
        if position > 0 { emit(UInt8(ascii: ",")) }
        element.write(numbers, emit)
      }
      emit(UInt8(ascii: "]"))
    case .object(let object):
      emit(UInt8(ascii: "{"))
      for (position, member) in object.members.enumerated() {
        if position > 0 { emit(UInt8(ascii: ",")) }
        Self.quoted(member.key.text.utf8, emit)
        emit(UInt8(ascii: ":"))
        member.value.write(numbers, emit)
      }
      emit(UInt8(ascii: "}"))
    }
  }

  /// A string with its quotes. Generic over its bytes, so that opened plaintext is written without becoming a String.
  package static func quoted(_ bytes: some Sequence<UInt8>, _ emit: (UInt8) -> Void) {
    emit(UInt8(ascii: "\""))
    for byte in bytes { escaped(byte, emit) }
    emit(UInt8(ascii: "\""))
  }

  package static func escaped(_ byte: UInt8, _ emit: (UInt8) -> Void) {
    switch byte {
    case 0x22: plain("\\\"", emit)
    case 0x5C: plain("\\\\", emit)
    case 0x08: plain("\\b", emit)
    case 0x09: plain("\\t", emit)
    case 0x0A: plain("\\n", emit)
    case 0x0C: plain("\\f", emit)
    case 0x0D: plain("\\r", emit)
    case 0x00..<0x20:
      plain("\\u00", emit)
      emit(Hex.digit(byte >> 4))
      emit(Hex.digit(byte & 15))
    default: emit(byte)
    }
  }

  private static func plain(_ text: String, _ emit: (UInt8) -> Void) {
    for byte in text.utf8 { emit(byte) }
  }
}
