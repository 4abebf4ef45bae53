// A login's password: in locked memory, never printed, shown to libpq for the length of a call. libpq keeps a copy of
// its own for as long as the connection lives, which nothing outside it can wipe.

package import Secrets

package final class DatabasePassword: Sendable, CustomStringConvertible, CustomReflectable {
  /// Far above any sensible one, far below what the server's password message carries.
  private static let longest = 1_024
  /// With a NUL behind it, as C wants it.
  private let terminated: SecretBytes

  /// Nil when it is empty, too long, or holds a NUL, at which C would end it.
  package init?(copying source: Span<UInt8>) throws(SecretError) {
    guard !source.isEmpty, source.count <= Self.longest else { return nil }
    for index in source.indices where source[index] == 0 { return nil }
    var secret = try SecretBytes(zeroed: source.count + 1)
    var target = secret.mutableBytes
    for index in source.indices { target[index] = source[index] }
    terminated = secret
  }

  func withCString<Value>(_ body: (UnsafePointer<CChar>) -> Value) -> Value {
    unsafe Self.withCString(terminated, body)
  }

  /// A span may be borrowed from an argument, not from a member of a class.
  private static func withCString<Value>(
    _ secret: borrowing SecretBytes, _ body: (UnsafePointer<CChar>) -> Value
  ) -> Value {
    unsafe secret.bytes.withUnsafeBytes { raw in
      guard let start = raw.baseAddress else { preconditionFailure("locked memory without an address") }
      return unsafe body(start.assumingMemoryBound(to: CChar.self))
    }
  }

  package var description: String { "<redacted>" }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
