// Where formatted plaintext goes. The rules that format stand below whoever owns wiped memory, so they are given a
// place to write to and never hold what they write. There is no sink here that keeps what it is given.

package protocol ByteSink: ~Copyable {
  mutating func append(_ byte: UInt8)
  mutating func append(_ bytes: Span<UInt8>)
}
