// The methods that are spoken here. Everything else is 501 before it reaches a route.

package enum HTTPMethod: String, Sendable, CaseIterable {
  case get = "GET"
  case head = "HEAD"
  case post = "POST"
  case put = "PUT"
  case patch = "PATCH"
  case delete = "DELETE"
  case options = "OPTIONS"

  /// evhttp reads a body for these three alone.
  var mayHaveBody: Bool {
    switch self {
    case .post, .put, .patch: true
    case .get, .head, .delete, .options: false
    }
  }

  /// Methods are case-sensitive.
  static func named(_ name: Span<UInt8>) -> HTTPMethod? {
    switch name.count {
    case 3: matches(name, "GET") ? .get : matches(name, "PUT") ? .put : nil
    case 4: matches(name, "POST") ? .post : matches(name, "HEAD") ? .head : nil
    case 5: matches(name, "PATCH") ? .patch : nil
    case 6: matches(name, "DELETE") ? .delete : nil
    case 7: matches(name, "OPTIONS") ? .options : nil
    default: nil
    }
  }

  private static func matches(_ name: Span<UInt8>, _ text: StaticString) -> Bool {
    text.withUTF8Buffer { other in
      for index in name.indices where unsafe name[index] != other[index] { return false }
      return true
    }
  }
}
