// JSON as our files are laid out: two spaces, lists of plain values and small objects on one line, so that a change
// of one case is a change of a few lines.

import Contracts

enum PrettyJSON {
  private static let longestInlineObject = 100

  static func bytes(_ value: JSONValue) -> [UInt8] {
    var text: [UInt8] = []
    write(value, 0, &text)
    text.append(UInt8(ascii: "\n"))
    return text
  }

  private static func write(_ value: JSONValue, _ depth: Int, _ text: inout [UInt8]) {
    switch value {
    case .object(let object) where !object.members.isEmpty && !isSmall(object):
      lines("{", "}", object.members, depth, &text) { member, text in
        text += JSONValue.string(member.key).compactBytes() + Array(": ".utf8)
        write(member.value, depth + 1, &text)
      }
    case .array(let elements) where elements.contains(where: { isContainer($0) }):
      lines("[", "]", elements, depth, &text) { element, text in write(element, depth + 1, &text) }
    default: text += value.compactBytes()
    }
  }

  private static func lines<Element>(
    _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ elements: [Element], _ depth: Int, _ text: inout [UInt8],
    _ write: (Element, inout [UInt8]) -> Void
  ) {
    text.append(UInt8(ascii: open))
    for (position, element) in elements.enumerated() {
      text += Array((position > 0 ? ",\n" : "\n").utf8) + indent(depth + 1)
      write(element, &text)
    }
    text += Array("\n".utf8) + indent(depth)
    text.append(UInt8(ascii: close))
  }

  private static func isSmall(_ object: JSONObject) -> Bool {
    !object.members.contains { isContainer($0.value) }
      && JSONValue.object(object).compactBytes().count <= longestInlineObject
  }

  private static func isContainer(_ value: JSONValue) -> Bool { value.object != nil || value.array != nil }

  private static func indent(_ depth: Int) -> [UInt8] { [UInt8](repeating: 0x20, count: depth * 2) }
}
