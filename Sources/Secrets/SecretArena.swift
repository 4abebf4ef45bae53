// The one place that keys live in: a locked mapping between two guard pages that never reaches swap, a core dump
// or a forked child. Slices of it are handed out as `SecretBytes` and wiped when they come back.

import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Why the arena could not give memory.
package enum SecretError: Error, Equatable {
  /// The kernel would not lock even the smallest arena; raise `ulimit -l` (RLIMIT_MEMLOCK).
  case cannotLock(errno: Int32)
  /// Every locked byte is in use, or the request is larger than the arena.
  case arenaFull
}

/// A fixed piece of locked memory with a first-fit allocator. `@safe`: the mapping is private to this class, lives
/// as long as it does, and every pointer it gives out lies inside the mapping and in one slice only.
@safe
package final class SecretArena: Sendable {
  /// RLIMIT_MEMLOCK is 8 MiB on a current Debian and 64 KiB in old containers; 2 MiB holds some 60,000 keys,
  /// far more than the largest batch (4,000 records), and leaves room for OpenSSL's own secure heap.
  package static let preferredBytes = 2 << 20
  package static let smallestBytes = 64 << 10
  /// Slices start on these boundaries: two AES keys to a cache line, and no list of crumbs.
  static let granule = 32

  /// The arena of this process. A process that cannot lock memory must not hold keys, so it ends here, with the
  /// command that helps; `mandate` checks this before it does anything else.
  package static let process: SecretArena = {
    do {
      return try SecretArena(bytes: preferredBytes)
    } catch {
      fatalError("mandate: the kernel refuses to lock 64 KiB of memory for keys; raise the limit: ulimit -l 8192")
    }
  }()

  nonisolated(unsafe) private let mapping: UnsafeMutableRawPointer
  private let mappingBytes: Int
  nonisolated(unsafe) private let base: UnsafeMutableRawPointer
  package let capacity: Int
  private let free: Mutex<FreeList>

  /// Maps and locks `bytes`, or, where the limit is lower, the largest power-of-two part of it down to 64 KiB.
  package init(bytes wanted: Int) throws(SecretError) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    var bytes = max((wanted + page - 1) / page * page, page)
    var failure: Int32 = 0
    while true {
      if let mapped = unsafe Self.map(bytes, page: page, failure: &failure) {
        unsafe (mapping, mappingBytes, capacity) = (mapped, bytes + 2 * page, bytes)
        unsafe base = mapped + page
        free = Mutex(FreeList(capacity: bytes))
        return
      }
      guard bytes / 2 >= min(Self.smallestBytes, wanted) else { throw .cannotLock(errno: failure) }
      bytes = bytes / 2 / page * page
    }
  }

  private static func map(_ bytes: Int, page: Int, failure: inout Int32) -> UnsafeMutableRawPointer? {
    let whole = bytes + 2 * page
    guard
      let mapped = unsafe mmap(nil, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      unsafe mapped != MAP_FAILED
    else {
      failure = errno
      return nil
    }
    // MADV_DONTDUMP keeps it out of core files, MADV_WIPEONFORK out of children.
    let inner = unsafe mapped + page
    if unsafe mprotect(inner, bytes, PROT_READ | PROT_WRITE) == 0, unsafe mlock(inner, bytes) == 0,
      unsafe madvise(inner, bytes, MADV_DONTDUMP) == 0, unsafe madvise(inner, bytes, MADV_WIPEONFORK) == 0
    {
      return unsafe mapped
    }
    failure = errno
    unsafe munmap(mapped, whole)
    return nil
  }

  deinit {
    unsafe explicit_bzero(base, capacity)
    unsafe munmap(mapping, mappingBytes)
  }

  /// A zeroed slice of `count` bytes, as an offset that `pointer(at:)` turns into an address.
  func take(_ count: Int) throws(SecretError) -> Int {
    guard count <= capacity, let offset = free.withLock({ $0.take(Self.rounded(count)) }) else { throw .arenaFull }
    return offset
  }

  /// Wipes the slice before any other caller can be given it.
  func giveBack(offset: Int, count: Int) {
    unsafe explicit_bzero(base + offset, count)
    free.withLock { $0.giveBack(offset: offset, count: Self.rounded(count)) }
  }

  func pointer(at offset: Int) -> UnsafeMutableRawPointer { unsafe base + offset }

  /// Bytes in use now; for tests and gauges.
  package var bytesInUse: Int { free.withLock { capacity - $0.freeBytes } }

  private static func rounded(_ count: Int) -> Int { (max(count, 1) + granule - 1) / granule * granule }
}

/// Free ranges in ascending order, neighbours merged.
private struct FreeList {
  private struct Range {
    var offset: Int
    var count: Int
  }

  private var ranges: [Range]
  private(set) var freeBytes: Int

  init(capacity: Int) {
    ranges = [Range(offset: 0, count: capacity)]
    freeBytes = capacity
  }

  mutating func take(_ count: Int) -> Int? {
    guard let index = ranges.firstIndex(where: { $0.count >= count }) else { return nil }
    let offset = ranges[index].offset
    if ranges[index].count == count {
      ranges.remove(at: index)
    } else {
      ranges[index].offset += count
      ranges[index].count -= count
    }
    freeBytes -= count
    return offset
  }

  mutating func giveBack(offset: Int, count: Int) {
    let next = insertionPoint(offset)
    let touchesNext = next < ranges.count && offset + count == ranges[next].offset
    let touchesPrevious = next > 0 && ranges[next - 1].offset + ranges[next - 1].count == offset
    switch (touchesPrevious, touchesNext) {
    case (true, true):
      ranges[next - 1].count += count + ranges[next].count
      ranges.remove(at: next)
    case (true, false): ranges[next - 1].count += count
    case (false, true):
      ranges[next].offset = offset
      ranges[next].count += count
    case (false, false): ranges.insert(Range(offset: offset, count: count), at: next)
    }
    freeBytes += count
  }

  private func insertionPoint(_ offset: Int) -> Int {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].offset < offset { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
