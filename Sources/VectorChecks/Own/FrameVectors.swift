// frame: the encoding that every derivation, label and hash of v2 is made over.

import Contracts

enum FrameVectors: OwnFormat {
  static let name = "frame-v2.1"
  static let algorithm = "mandate-v2 frame"
  static let header = [
    "frame(p1, ..., pn): for each part a 4-byte big-endian length, then the bytes. parts and frame are hex.",
    "An invalid case is no frame: a length is cut short, or there are fewer bytes than it says.",
  ]
  static let notes = [
    Note("Basic", "BASIC", "Parts as the formats have them."),
    Note("Injective", "AUTH_BYPASS", "Cases that a mere joining would take for each other."),
    Note("Length", "EDGE_CASE", "Lengths whose bytes are all used."),
    Note("Truncated", "FUNCTIONALITY", "A frame that ends too early."),
  ]
  static let groups = [
    GroupShape(
      type: "Frame", members: [], inputs: [.init("frame", .hex)], valid: [.init("parts", .list(.hex))], invalid: [])
  ]

  static func checker(for group: Members) throws -> (Members) throws -> Outcome { check }

  private static func check(_ test: Members) -> Outcome {
    var reader = FrameReader(test.bytes("frame"))
    var parts: [[UInt8]] = []
    while !reader.isAtEnd, let part = reader.next() { parts.append(part) }
    guard test.isValid else { return .expect(!reader.isAtEnd, "it was read to its end") }
    let wanted = test.texts("parts").compactMap(Hex.decode)
    guard reader.isAtEnd, parts == wanted else { return .failed("other parts came out") }
    return .expect(Material.frame(wanted) == test.bytes("frame"), "writing gave another frame")
  }

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    [Group(type: "Frame", members: [], tests: frames() + truncated())]
  }

  private static func frames() -> [Test] {
    [
      valid("no part", "Basic", []), valid("one empty part", "Injective", [""]),
      valid("two empty parts", "Injective", ["", ""]), valid("a domain alone", "Basic", ["mandate/v2/record-key"]),
      valid("the info of a record key", "Basic", ["mandate/v2/record-key", Material.user, "notes", "n1"]),
      valid("a count", "Basic", ["mandate/v2/scope", "1", "notes", "n1"]),
      valid("ab, c", "Injective", ["ab", "c"]), valid("a, bc", "Injective", ["a", "bc"]),
      valid("abc", "Injective", ["abc"]), valid("abc and nothing", "Injective", ["abc", ""]),
      valid("a part that looks like a frame", "Injective", ["\0\0\0\u{1}a"]),
      valid("composed", "Injective", [Material.composed]), valid("decomposed", "Injective", [Material.decomposed]),
      valid("256 bytes", "Length", [Material.longestId]),
      valid("65,537 bytes", "Length", [String(repeating: "x", count: 65537)]),
    ]
  }

  private static func truncated() -> [Test] {
    let whole = Material.frame("ab", "c")
    let cut = [1, 3, 4, 5, 7, 9, 10].map { count in
      invalid("\(count) of \(whole.count) bytes", Array(whole.prefix(count)))
    }
    return cut + [
      invalid("one byte behind it", whole + [0]),
      invalid("a length of 4 GiB less one", [0xFF, 0xFF, 0xFF, 0xFF] + Array("ab".utf8)),
      invalid("a little-endian length", [1, 0, 0, 0] + Array("a".utf8)),
    ]
  }

  private static func valid(_ comment: String, _ flag: String, _ parts: [String]) -> Test {
    let bytes = parts.map { Array($0.utf8) }
    return Test(
      comment, [flag], [("frame", .hex(Material.frame(bytes)))],
      .valid([("parts", .array(bytes.map(JSONValue.hex)))]))
  }

  private static func invalid(_ comment: String, _ frame: [UInt8]) -> Test {
    Test(comment, ["Truncated"], [("frame", .hex(frame))], .invalid([]))
  }
}
