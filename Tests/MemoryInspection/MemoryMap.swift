// What the kernel says about this process's memory, or about another's. For tests: a promise that something is locked or wiped is checked
// from the outside.

import Glibc

/// The sanitizers map terabytes for themselves, keep freed memory for later and make mlock do nothing, so whatever looks
/// at memory from the outside is skipped under them.
package enum Sanitizer {
  package static let isAbsent: Bool = {
    guard let maps = try? MemoryMap.all() else { return true }
    return maps.reduce(0) { $0 + $1.range.count } < 64 << 30
  }()
}

/// Whether the memory of a process that can't be dumped may be looked at: what a debugger needs, and root mostly has.
package enum Debugger {
  package static let isAllowed: Bool = {
    guard let lines = try? MemoryMap.lines(of: "/proc/self/status"),
      let line = lines.first(where: { $0.hasPrefix("CapEff:") }),
      let capabilities = UInt64(line.dropFirst(7).filter { !$0.isWhitespace }, radix: 16)
    else { return false }
    let ptrace = 19
    return capabilities >> ptrace & 1 == 1
  }()
}

package struct MemoryMap {
  package let range: Range<UInt>
  package let permissions: String
  /// The two-letter flags of the kernel: `lo` locked, `dd` left out of core dumps, `wf` wiped in a forked child.
  package let flags: Set<String>

  /// Every mapping of this process, or of another, in order.
  package static func all(of process: Int32? = nil) throws -> [MemoryMap] {
    var maps: [MemoryMap] = []
    var head: (range: Range<UInt>, permissions: String)?
    for line in try lines(of: "/proc/\(process.map(String.init) ?? "self")/smaps") {
      let words = line.split(separator: " ").map(String.init)
      guard let first = words.first else { continue }
      let ends = first.split(separator: "-").compactMap { UInt($0, radix: 16) }
      if ends.count == 2, words.count > 4 {
        head = (ends[0]..<ends[1], words[1])
      } else if first == "VmFlags:", let head {
        maps.append(MemoryMap(range: head.range, permissions: head.permissions, flags: Set(words.dropFirst())))
      }
    }
    return maps
  }

  package static func containing(_ address: UInt) throws -> MemoryMap? {
    try all().first { $0.range.contains(address) }
  }

  package struct Unreadable: Error {
    let path: String
  }

  fileprivate static func lines(of path: String) throws -> [Substring] {
    guard let file = unsafe fopen(path, "r") else { throw Unreadable(path: path) }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe fread(&chunk, 1, chunk.count, file)
      if count == 0 { break }
      bytes += chunk.prefix(count)
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
  }
}
