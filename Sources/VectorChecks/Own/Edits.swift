// Names for the edits of a grant that the cases make, so that a case is one line.

import Contracts

struct Edit {
  let path: [String]
  let value: JSONValue?

  /// `name` may be a path with dots.
  static func set(_ name: String, _ value: JSONValue) -> Edit { Edit(path: split(name), value: value) }
  static func set(_ name: String, _ text: String) -> Edit { set(name, .string(text)) }
  static func remove(_ name: String) -> Edit { Edit(path: split(name), value: nil) }

  private static func split(_ name: String) -> [String] { name.split(separator: ".").map(String.init) }
}

extension JSONValue {
  func edited(_ edits: [Edit]) -> JSONValue { edits.reduce(self) { $0.with($1.path, $1.value) } }
  func edited(_ edits: Edit...) -> JSONValue { edited(edits) }
}
