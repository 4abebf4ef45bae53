// Opened plaintext: one owner, wiped when it ends. It lives on the heap, not in the locked arena, because a batch
// may hold megabytes of it and RLIMIT_MEMLOCK does not; a process that holds it is not dumpable (ProcessHardening).

import Glibc

/// `@safe`: the allocation is private, `count <= capacity` always holds, and every Span is borrowed from the owner.
@safe
package struct WipedBytes: ~Copyable, Sendable {
  package private(set) var count = 0
  private var capacity: Int
  // One owner at a time, on whatever thread.
  nonisolated(unsafe) private var start: UnsafeMutablePointer<UInt8>

  package init(capacity: Int = 0) {
    precondition(capacity >= 0, "a buffer cannot have a negative length")
    self.capacity = max(capacity, 1)
    unsafe start = .allocate(capacity: self.capacity)
  }

  package init(copying source: Span<UInt8>) {
    self.init(capacity: source.count)
    append(source)
  }

  deinit {
    unsafe explicit_bzero(start, capacity)
    unsafe start.deallocate()
  }

  package var bytes: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get {
      let span = unsafe Span(_unsafeStart: UnsafePointer(start), count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  package var mutableBytes: MutableSpan<UInt8> {
    @_lifetime(&self)
    mutating get {
      let span = unsafe MutableSpan(_unsafeStart: start, count: count)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// Grows or shrinks to `newCount`; bytes that come into being are zero, bytes that go are wiped.
  package mutating func resize(to newCount: Int) {
    precondition(newCount >= 0, "a buffer cannot have a negative length")
    if newCount > count {
      reserve(newCount)
      unsafe (start + count).initialize(repeating: 0, count: newCount - count)
    } else {
      unsafe explicit_bzero(start + newCount, count - newCount)
    }
    count = newCount
  }

  package mutating func append(_ byte: UInt8) {
    if count == capacity { reserve(count + 1) }
    unsafe start[count] = byte
    count += 1
  }

  package mutating func append(_ source: Span<UInt8>) {
    guard !source.isEmpty else { return }
    reserve(count + source.count)
    unsafe source.withUnsafeBufferPointer { from in
      guard let first = from.baseAddress else { return }
      unsafe (start + count).update(from: first, count: from.count)
    }
    count += source.count
  }

  /// Moves to a larger home when needed; the old one is wiped before it is freed.
  package mutating func reserve(_ wanted: Int) {
    guard wanted > capacity else { return }
    let larger = max(wanted, capacity * 2)
    let home = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    unsafe home.update(from: start, count: count)
    unsafe explicit_bzero(start, capacity)
    unsafe start.deallocate()
    unsafe start = home
    capacity = larger
  }

  /// What any attempt to print plaintext shows.
  package var description: String { "<redacted>" }
}
