// `/internal/users/{id}/deleted`: fixed segments and named ones. The text itself is a metric's label, so it comes from
// the source and never from a request.

struct RoutePattern: Sendable {
  enum Segment: Sendable, Equatable {
    case fixed(String)
    case named(String)
  }

  let text: String
  let segments: [Segment]

  /// A pattern is written by us; one that makes no sense ends the program at its start.
  init(_ text: StaticString) {
    self.text = text.description
    precondition(self.text.hasPrefix("/"), "a route begins with a slash")
    segments = self.text.dropFirst().split(separator: "/").map { part in
      guard part.hasPrefix("{"), part.hasSuffix("}"), part.count > 2 else { return .fixed(String(part)) }
      return .named(String(part.dropFirst().dropLast()))
    }
  }

  /// What the names stand for, or nil. Bytes are compared: String's own equality would take two spellings of an accent
  /// for one.
  func match(_ path: [String]) -> [String: String]? {
    guard path.count == segments.count else { return nil }
    var parameters: [String: String] = [:]
    for (segment, part) in zip(segments, path) {
      switch segment {
      case .fixed(let text): guard text.utf8.elementsEqual(part.utf8) else { return nil }
      case .named(let name):
        guard !part.isEmpty else { return nil }
        parameters[name] = part
      }
    }
    return parameters
  }

  /// Fewer names first: `/a/b` wins over `/a/{id}` wherever they were declared.
  var openness: Int { segments.count { if case .named = $0 { true } else { false } } }
}
