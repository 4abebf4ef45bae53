// One line of the log as JSON. A writer of our own: an encoder of Foundation's orders members as it likes, allocates a
// dictionary per line and knows no limit, and Contracts' JSON is not this floor's to use; what is needed is one level
// of members, in order, in at most 4 KiB.

struct LogLine {
  /// PIPE_BUF on Linux: a write of up to this many bytes into a pipe is never mixed with another process's.
  static let longest = 4096

  /// Members that every line has or may have, and that are therefore no keys.
  static let reserved = ["time", "level", "program", "event", "cut"]

  private static let end = Array("}\n".utf8)
  /// Says that members are missing for lack of room.
  private static let cut = Array(",\"cut\":true".utf8)

  private var bytes: [UInt8] = [UInt8(ascii: "{")]
  private var isCut = false

  /// A member that does not fit is left out, and the line says so.
  mutating func add(_ name: String, _ value: LogValue) {
    var member: [UInt8] = bytes.count > 1 ? [UInt8(ascii: ",")] : []
    Self.quote(name, longest: LogValue.longestId, to: &member)
    member.append(UInt8(ascii: ":"))
    value.write(to: &member)
    add(member)
  }

  /// Members that were written before.
  mutating func add(_ members: [UInt8]) {
    if bytes.count + members.count + Self.cut.count + Self.end.count <= Self.longest {
      bytes += members
    } else {
      isCut = true
    }
  }

  consuming func finished() -> [UInt8] {
    if isCut { bytes += Self.cut }
    bytes += Self.end
    return bytes
  }

  /// A JSON string of ASCII alone. Everything else is escaped: a terminal obeys control bytes, some letters turn the
  /// reading direction, and a line that is cut at any byte is still text. `longest` counts bytes of the result.
  static func quote(_ text: String, longest: Int, to line: inout [UInt8]) {
    line.append(UInt8(ascii: "\""))
    let start = line.count
    for unit in text.utf16 {
      let size =
        switch unit {
        case 0x22, 0x5c: 2
        case 0x20...0x7e: 1
        default: 6
        }
      guard line.count - start + size <= longest else {
        line += Array("...".utf8)
        break
      }
      if size == 1 { line.append(UInt8(unit)) } else { line += escape(unit) }
    }
    line.append(UInt8(ascii: "\""))
  }

  private static func escape(_ unit: UInt16) -> [UInt8] {
    switch unit {
    case 0x22, 0x5c: return [0x5c, UInt8(unit)]
    default:
      let digits = Array(String(unit, radix: 16).utf8)
      return Array("\\u".utf8) + [UInt8](repeating: UInt8(ascii: "0"), count: 4 - digits.count) + digits
    }
  }
}
