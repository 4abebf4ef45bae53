// A user's master key. This type is internal, so no other module can name it, keep it or pass it on.

import Contracts
import Cryptography
import Grants
import Secrets

struct MasterKey: ~Copyable, Sendable {
  static let byteCount = KeyDeriver.masterKeyBytes
  let secret: SecretBytes

  /// Nil unless it has the one length that a master key has.
  init?(_ secret: consuming SecretBytes) {
    guard secret.count == Self.byteCount else { return nil }
    self.secret = secret
  }

  static func random() throws(VaultFailure) -> MasterKey {
    let secret: SecretBytes
    do { secret = try SecureRandom.secret(byteCount) } catch { throw .failed(error) }
    guard let master = MasterKey(secret) else { preconditionFailure("random bytes came in another number") }
    return master
  }

  /// HKDF of the key under a name of its own: whoever has it can tell the key again and learns nothing of it.
  func check(of user: Identifier) throws(VaultFailure) -> [UInt8] {
    let derived = try derivedCheck(of: user)
    var copy = [UInt8](repeating: 0, count: derived.count)
    for index in copy.indices { copy[index] = derived.bytes[index] }
    return copy
  }

  func matches(_ check: [UInt8], of user: Identifier) throws(VaultFailure) -> Bool {
    try derivedCheck(of: user).equals(check.span)
  }

  private func derivedCheck(of user: Identifier) throws(VaultFailure) -> SecretBytes {
    var info = Frame()
    info.add("mandate/v2/key-check")
    info.add(user)
    let bytes = info.bytes
    do throws(CryptographyError) {
      var hkdf = try HKDFSHA256()
      return try hkdf.derive(ikm: secret.bytes, salt: Span<UInt8>(), info: bytes.span, count: 32)
    } catch { throw .failed(error) }
  }
}

/// A key that a user sends back, as the vault alone can look into it.
package struct SuppliedKey: ~Copyable, Sendable {
  let master: MasterKey

  package enum Problem: Error, Equatable {
    case notBase64
    case notAKey
    case noLockedMemory
  }

  /// From its base64 text, in the forgiving dialect that the clients' own decoder has.
  package init(base64 text: Span<UInt8>) throws(Problem) {
    let decoded: SecretBytes?
    do throws(SecretError) { decoded = try SecretBase64.decodeForgiving(text) } catch { throw .noLockedMemory }
    guard let decoded else { throw .notBase64 }
    guard let master = MasterKey(decoded) else { throw .notAKey }
    self.master = master
  }
}
