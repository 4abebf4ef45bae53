// A record whose fields are lent, one at a time, as JSON text and the tape of it: what the formatting rules read,
// whether the text was sealed (and lies in wiped memory) or stands in the log.

package protocol RecordFields: ~Copyable {
  /// Nil where the record has no such field.
  borrowing func withField<Result: ~Copyable>(
    _ name: String, _ body: (JSONTape, Span<UInt8>) -> Result
  ) -> Result?
}
