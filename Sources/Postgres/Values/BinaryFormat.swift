// PostgreSQL's binary format, the writing half. libpq has no encoder (libpqtypes is not part of it). The rules are
// those of the types' `…send` and `…recv` functions: numbers big-endian, text as its bytes.

enum BinaryFormat {
  static func append(_ value: PostgresValue, to bytes: inout [UInt8]) {
    switch value {
    case .null: break
    case .bool(let flag): bytes.append(flag ? 1 : 0)
    case .int4(let number): append(number, to: &bytes)
    case .int8(let number): append(number, to: &bytes)
    case .float8(let number): append(number.bitPattern, to: &bytes)
    case .text(let text): bytes.append(contentsOf: text.utf8)
    case .utf8(let text): bytes.append(contentsOf: text)
    case .bytes(let value): bytes.append(contentsOf: value)
    case .timestamp(let time): append(time.microsecondsSince2000, to: &bytes)
    case .uuid(let text): bytes.append(contentsOf: UUIDText.parse(text) ?? [])
    case .json(let text):
      // jsonb's binary form is a version, 1, and then the text.
      bytes.append(1)
      bytes.append(contentsOf: text.utf8)
    case .textArray(let elements):
      append(elements, of: .text, to: &bytes) { $1.append(contentsOf: $0.utf8) }
    case .utf8Array(let elements):
      append(elements, of: .text, to: &bytes) { $1.append(contentsOf: $0) }
    case .bytesArray(let elements):
      append(elements, of: .bytea, to: &bytes) { $1.append(contentsOf: $0) }
    case .int8Array(let elements):
      append(elements, of: .int8, to: &bytes) { append($0, to: &$1) }
    }
  }

  static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
    for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }

  /// One dimension that begins at 1: dimensions, whether there are nulls, element type, count, lower bound; then each
  /// element with its length, -1 for null. An empty array has no dimension.
  private static func append<Element>(
    _ elements: [Element?], of type: PostgresType, to bytes: inout [UInt8],
    _ write: (Element, inout [UInt8]) -> Void
  ) {
    append(Int32(elements.isEmpty ? 0 : 1), to: &bytes)
    append(Int32(elements.contains { $0 == nil } ? 1 : 0), to: &bytes)
    append(type.rawValue, to: &bytes)
    guard !elements.isEmpty else { return }
    append(Int32(elements.count), to: &bytes)
    append(Int32(1), to: &bytes)
    for element in elements {
      let lengthAt = bytes.count
      append(Int32(-1), to: &bytes)
      guard let element else { continue }
      write(element, &bytes)
      let length = Int32(bytes.count - lengthAt - 4)
      for index in 0..<4 { bytes[lengthAt + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
    }
  }
}
