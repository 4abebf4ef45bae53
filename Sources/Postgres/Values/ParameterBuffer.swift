// Puts the parameters of one statement into PostgreSQL's binary format, one behind the other, and shows them to C as
// the arrays libpq wants. A connection keeps one and uses it again, so a call allocates nothing for it.

/// `@safe`: the pointers it makes are valid inside `withPointers` only, where nothing can change the bytes.
@safe
struct ParameterBuffer {
  private var bytes: [UInt8] = []
  /// Where each parameter begins; nil for null.
  private var starts: [Int?] = []
  private var lengths: [Int32] = []
  private var formats: [Int32] = []
  private var pointers: [UnsafePointer<CChar>?] = unsafe []

  /// Above this a buffer is given back after use instead of being kept with the connection.
  private static let keptBytes = 1 << 20

  /// What libpq would not carry or the server would refuse for its form, found before anything of a batch is sent.
  static func check(_ values: [PostgresValue]) throws(PostgresError) {
    var total = 0
    for (index, value) in values.enumerated() {
      total += try size(of: value, parameter: index)
      guard total <= WireLimits.statementBytes else { throw .parameter(.tooLarge) }
    }
  }

  private static func size(of value: PostgresValue, parameter: Int) throws(PostgresError) -> Int {
    switch value {
    case .null, .bool, .int4, .int8, .float8, .timestamp: return 8
    case .text(let text), .json(let text):
      guard !text.utf8.contains(0) else { throw .parameter(.nulInText(parameter: parameter)) }
      return text.utf8.count + 1
    case .utf8(let text):
      guard !text.contains(0) else { throw .parameter(.nulInText(parameter: parameter)) }
      return text.count
    case .bytes(let bytes): return bytes.count
    case .uuid(let text):
      guard UUIDText.parse(text) != nil else { throw .parameter(.malformedUUID(parameter: parameter)) }
      return 16
    case .textArray(let elements):
      return try sum(elements) { text throws(PostgresError) in
        guard !text.utf8.contains(0) else { throw .parameter(.nulInText(parameter: parameter)) }
        return text.utf8.count
      }
    case .utf8Array(let elements):
      return try sum(elements) { text throws(PostgresError) in
        guard !text.contains(0) else { throw .parameter(.nulInText(parameter: parameter)) }
        return text.count
      }
    case .bytesArray(let elements): return try sum(elements) { bytes throws(PostgresError) in bytes.count }
    case .int8Array(let elements): return 20 + 12 * elements.count
    }
  }

  private static func sum<Element>(
    _ elements: [Element?], _ size: (Element) throws(PostgresError) -> Int
  ) throws(PostgresError) -> Int {
    var total = 20
    for element in elements {
      total += 4
      if let element { total += try size(element) }
    }
    return total
  }

  /// Replaces what is in it. The values have passed `check`.
  mutating func load(_ values: [PostgresValue]) {
    bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptBytes)
    starts.removeAll(keepingCapacity: true)
    lengths.removeAll(keepingCapacity: true)
    for value in values {
      if case .null = value {
        starts.append(nil)
        lengths.append(0)
        continue
      }
      let start = bytes.count
      BinaryFormat.append(value, to: &bytes)
      starts.append(start)
      lengths.append(Int32(bytes.count - start))
    }
    while formats.count < values.count { formats.append(1) }
  }

  /// The count of parameters, and the three arrays libpq wants.
  mutating func withPointers<Value>(
    _ body: (
      Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
    ) -> Value
  ) -> Value {
    unsafe pointers.removeAll(keepingCapacity: true)
    let count = starts.count
    guard count > 0 else { return body(0, nil, nil, nil) }
    // An empty value is not null: it needs an address, whatever it is.
    if bytes.isEmpty { bytes.append(0) }
    return unsafe bytes.withUnsafeBytes { raw in
      for start in starts {
        unsafe pointers.append(
          start.flatMap { unsafe raw.baseAddress?.advanced(by: $0).assumingMemoryBound(to: CChar.self) })
      }
      return unsafe pointers.withUnsafeBufferPointer { pointers in
        unsafe lengths.withUnsafeBufferPointer { lengths in
          unsafe formats.withUnsafeBufferPointer { formats in
            unsafe body(Int32(count), pointers.baseAddress, lengths.baseAddress, formats.baseAddress)
          }
        }
      }
    }
  }
}
