// What came back.

package import Secrets

package struct HTTPResponse: Sendable {
  package let status: Int
  package let headers: HTTPHeaders
  package let body: [UInt8]
}

/// The same with a body that may be somebody's opened records: one owner, wiped when it ends.
package struct HTTPWipedResponse: ~Copyable {
  package let status: Int
  package let headers: HTTPHeaders
  package let body: WipedBytes
}

/// Header lines in the order in which they came.
package struct HTTPHeaders: Sendable {
  package private(set) var fields: [(name: String, value: String)] = []

  init() {}

  /// All values under this name, whatever its case.
  package func all(_ name: String) -> [String] {
    let wanted = name.lowercased()
    return fields.filter { $0.name.lowercased() == wanted }.map(\.value)
  }

  /// The value, where the name stands exactly once.
  package subscript(name: String) -> String? {
    let values = all(name)
    return values.count == 1 ? values[0] : nil
  }

  mutating func append(_ name: String, _ value: String) { fields.append((name, value)) }
}
