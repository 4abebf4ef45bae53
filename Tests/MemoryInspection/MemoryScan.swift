// A search of all the memory that this process can write to, or another, through the kernel, for bytes that should not be there.

import Glibc

/// Bytes to look for, held XORed with a mask so that the search does not find itself.
package struct MemoryScan {
  private static let mask: UInt8 = 0x5A

  private let masked: [UInt8]

  package var count: Int { masked.count }

  /// A value that nobody has seen before. Write it with `byte(at:)`, so that no second copy comes into being.
  package init(random count: Int) {
    precondition(count >= 16, "a short pattern would be found by chance")
    // Not zero to begin with: most of memory is.
    masked = (0..<count).map { UInt8.random(in: ($0 == 0 ? 1 : 0) ... .max) ^ Self.mask }
  }

  /// Bytes that are known already, given under the mask: `byte ^ 0x5A`.
  package init(masked: [UInt8]) {
    precondition(masked.count >= 16, "a short pattern would be found by chance")
    self.masked = masked
  }

  package func byte(at index: Int) -> UInt8 { masked[index] ^ Self.mask }

  package func fill(_ span: inout MutableSpan<UInt8>) {
    for index in masked.indices { span[index] = byte(at: index) }
  }

  /// Where the bytes lie now, each with its mapping; in another process that may go on meanwhile, if one is named.
  package func places(in process: Int32? = nil) throws -> [MemoryMap] {
    let path = "/proc/\(process.map(String.init) ?? "self")/mem"
    let memory = unsafe open(path, O_RDONLY)
    guard memory >= 0 else { throw MemoryMap.Unreadable(path: path) }
    defer { close(memory) }
    // Shared, so that it is a mapping of its own that the search can leave out.
    let size = 4 << 20
    guard
      let window = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
      unsafe window != MAP_FAILED
    else { throw MemoryMap.Unreadable(path: "a window") }
    defer { unsafe munmap(window, size) }

    var found: [MemoryMap] = []
    for map in try MemoryMap.all(of: process) where map.permissions == "rw-p" {
      var start = map.range.lowerBound
      while start < map.range.upperBound {
        let wanted = min(size, Int(map.range.upperBound - start))
        let read = unsafe pread(memory, window, wanted, off_t(start))
        guard read >= masked.count else { break }
        let hits = unsafe occurrences(in: UnsafeRawBufferPointer(start: window, count: read))
        found += [MemoryMap](repeating: map, count: hits)
        guard read == wanted, start + UInt(wanted) < map.range.upperBound else { break }
        // What begins in the last bytes of this window is found in the next one.
        start += UInt(wanted - masked.count + 1)
      }
    }
    return found
  }

  /// Looks for the byte that memory holds the least of, because each place where it lies is looked at in Swift, and
  /// zeroes, small numbers and letters lie in millions of places.
  private func occurrences(in window: UnsafeRawBufferPointer) -> Int {
    guard let base = window.baseAddress, window.count >= masked.count else { return 0 }
    let anchor = masked.indices.first { (0x80...0xFE).contains(byte(at: $0)) } ?? 0
    let wanted = Int32(byte(at: anchor))
    // Where the anchor may lie, so that all of the bytes lie in the window.
    var (hits, position) = (0, anchor)
    let end = window.count - masked.count + anchor + 1
    while position < end, let hit = unsafe memchr(base + position, wanted, end - position) {
      let place = unsafe UnsafeRawPointer(hit) - base
      let start = place - anchor
      if masked.indices.allSatisfy({ unsafe window[start + $0] == byte(at: $0) }) { hits += 1 }
      position = place + 1
    }
    return hits
  }
}
