// A search of the memory of another process, as root may do it. What is looked for lies in this process only, so the
// search can't find itself.

import Foundation

struct ForeignMemory {
  let process: Int32

  /// True where the kernel lets this user read that process, which has made itself not dumpable.
  var mayBeRead: Bool { FileHandle(forReadingAtPath: "/proc/\(process)/mem") != nil }

  struct Unreadable: Error {}

  /// How often each pattern occurs in what the process can write to, and how many bytes were looked at.
  func occurrences(of patterns: [Data]) throws -> (counts: [Int], bytes: Int) {
    guard let memory = FileHandle(forReadingAtPath: "/proc/\(process)/mem") else { throw Unreadable() }
    let maps = try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8)
    var counts = [Int](repeating: 0, count: patterns.count)
    var bytes = 0
    for line in maps.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 1, fields[1].hasPrefix("rw") else { continue }
      let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      guard ends.count == 2 else { throw Unreadable() }
      let area = try read(memory, from: ends[0], count: Int(ends[1] - ends[0]))
      bytes += area.count
      for (index, pattern) in patterns.enumerated() {
        var rest = area[...]
        while let found = rest.range(of: pattern) {
          counts[index] += 1
          rest = rest[found.upperBound...]
        }
      }
    }
    return (counts, bytes)
  }

  /// What there is of it: guard pages and memory that was never touched give less, or nothing.
  private func read(_ memory: FileHandle, from start: UInt64, count: Int) throws -> Data {
    var area = Data()
    do {
      try memory.seek(toOffset: start)
      while area.count < count, let part = try memory.read(upToCount: min(4 << 20, count - area.count)), !part.isEmpty {
        area += part
      }
    } catch { return area }
    return area
  }
}
