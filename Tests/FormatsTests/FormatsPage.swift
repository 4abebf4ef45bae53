// The worked examples of docs/formats.md. A block begins with ```example name=…; each line is `name = value`, where a
// value is JSON (a text, a list, an object, null) or hex; a line that begins with two blanks continues the one before.

import Contracts
import Foundation

struct Example: Sendable {
  enum Value: Sendable, Equatable {
    case hex([UInt8])
    case json(JSONValue)
  }

  struct Unreadable: Error {
    let why: String
  }

  let name: String
  /// In the page's order, as they are written.
  var lines: [(name: String, text: String)]

  func value(_ name: String) throws -> Value {
    guard let text = lines.first(where: { $0.name == name })?.text else { throw Unreadable(why: "no value \(name)") }
    if let first = text.first, "\"[{n".contains(first) { return .json(try JSONValue(parsing: text)) }
    guard let bytes = Hex.decode(text), !bytes.isEmpty else { throw Unreadable(why: "\(name) is neither JSON nor hex") }
    return .hex(bytes)
  }

  func bytes(_ name: String) throws -> [UInt8] {
    guard case .hex(let bytes) = try value(name) else { throw Unreadable(why: "\(name) is not hex") }
    return bytes
  }

  func json(_ name: String) throws -> JSONValue {
    guard case .json(let json) = try value(name) else { throw Unreadable(why: "\(name) is not JSON") }
    return json
  }

  func text(_ name: String) throws -> String {
    guard let text = try json(name).text else { throw Unreadable(why: "\(name) is not a text") }
    return text
  }

  func texts(_ name: String) throws -> [String] {
    guard let texts = try json(name).texts else { throw Unreadable(why: "\(name) is not a list of texts") }
    return texts
  }

  /// The text as it stands on the page.
  func written(_ name: String) -> String { lines.first { $0.name == name }?.text ?? "" }
}

enum FormatsPage {
  static func examples() throws -> [Example] {
    let page = String(decoding: try Repository.bytes(of: "docs/formats.md"), as: UTF8.self)
    return try page.components(separatedBy: "\n```example name=").dropFirst().map { block in
      guard let end = block.range(of: "\n```\n") else { throw Example.Unreadable(why: "a block that does not end") }
      let lines = block[..<end.lowerBound].components(separatedBy: "\n")
      return try lines.dropFirst().reduce(into: Example(name: lines[0], lines: [])) { try add($1, to: &$0) }
    }
  }

  private static func add(_ line: String, to example: inout Example) throws {
    if line.hasPrefix("  "), !example.lines.isEmpty {
      example.lines[example.lines.count - 1].text += line.dropFirst(2)
      return
    }
    guard let separator = line.range(of: " = ") else {
      throw Example.Unreadable(why: "a line without a value: \(line)")
    }
    example.lines.append((String(line[..<separator.lowerBound]), String(line[separator.upperBound...])))
  }
}
