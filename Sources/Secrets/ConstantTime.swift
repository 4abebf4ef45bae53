// Comparison whose time depends on the lengths alone. libc has none, so it is ours: every byte is folded into one
// accumulator and only the accumulator is looked at.

package enum ConstantTime {
  /// True when both have the same bytes. Lengths are not secret in any of our formats, so they may return early.
  @inline(never)
  @_optimize(none)
  package static func equal(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
  }
}

extension SecretBytes {
  package borrowing func equals(_ other: Span<UInt8>) -> Bool { ConstantTime.equal(bytes, other) }
  package borrowing func equals(_ other: borrowing SecretBytes) -> Bool { ConstantTime.equal(bytes, other.bytes) }
}
