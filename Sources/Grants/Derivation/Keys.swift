// The keys of the two grant versions. Each is a type of its own, so that a v1 key never opens what v2 sealed; each
// has one owner, 32 bytes of locked memory, and no way out but a borrowed Span.

import Secrets

/// Opens `enc:1` fields that were written under it, and nothing else. It carries no scope.
package struct MissionKeyV1: ~Copyable, Sendable {
  package static let byteCount = 32
  let secret: SecretBytes

  init(_ secret: consuming SecretBytes) { self.secret = secret }

  /// For tests and published vectors: is this the key that was expected?
  package borrowing func equals(_ expected: Span<UInt8>) -> Bool { secret.equals(expected) }
}

/// Opens the keyring of one grant.
package struct MissionKeyV2: ~Copyable, Sendable {
  package static let byteCount = 32
  let secret: SecretBytes

  init(_ secret: consuming SecretBytes) { self.secret = secret }

  package borrowing func equals(_ expected: Span<UInt8>) -> Bool { secret.equals(expected) }
}

/// Seals and opens the fields of one record.
package struct RecordKey: ~Copyable, Sendable {
  package static let byteCount = 32
  let secret: SecretBytes

  init(_ secret: consuming SecretBytes) { self.secret = secret }

  package borrowing func equals(_ expected: Span<UInt8>) -> Bool { secret.equals(expected) }
}
