// A key: bytes with exactly one owner, in locked memory, wiped when the owner ends. There is no copy, no `==`, no
// Codable and no printable form; what a caller gets is a Span that cannot outlive the secret.

/// `@safe`: the slice belongs to this value alone until `deinit` gives it back.
@safe
package struct SecretBytes: ~Copyable, Sendable {
  package let count: Int
  private let offset: Int
  private let arena: SecretArena

  /// `count` zero bytes, to be filled through `mutableBytes`.
  package init(zeroed count: Int, in arena: SecretArena = .process) throws(SecretError) {
    precondition(count >= 0, "a secret cannot have a negative length")
    offset = try arena.take(count)
    self.count = count
    self.arena = arena
  }

  /// A second, independent home for bytes that are already somewhere else. The source stays the caller's to wipe.
  package init(copying source: Span<UInt8>, in arena: SecretArena = .process) throws(SecretError) {
    try self.init(zeroed: source.count, in: arena)
    var target = mutableBytes
    for index in source.indices { target[index] = source[index] }
  }

  deinit { arena.giveBack(offset: offset, count: count) }

  package var bytes: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get {
      let start = unsafe UnsafePointer(arena.pointer(at: offset).assumingMemoryBound(to: UInt8.self))
      let span = unsafe Span(_unsafeStart: start, count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  package var mutableBytes: MutableSpan<UInt8> {
    @_lifetime(&self)
    mutating get {
      let start = unsafe arena.pointer(at: offset).assumingMemoryBound(to: UInt8.self)
      let span = unsafe MutableSpan(_unsafeStart: start, count: count)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// What any attempt to print a secret shows.
  package var description: String { "<redacted>" }
}
