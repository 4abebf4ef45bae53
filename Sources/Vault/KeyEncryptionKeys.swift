// The keys that master keys are wrapped under: the current one, and former ones as long as rows still need them. A wrap
// names its key, so a new key is taken into use without touching old rows.

import Contracts
package import Cryptography
import Secrets

package final class KeyEncryptionKeys: Sendable {
  /// The seeds' one name for whatever key the environment held.
  package static let environmentId = "env-v1"
  package static let keyBytes = 32

  package enum Problem: Error, Equatable {
    case notBase64
    case wrongLength(Int)
    /// The key of nothing but zeroes, with which the seeds' issuer starts where none is set.
    case zeroes
    case repeated
    case failed(CryptographyError)
  }

  private let slots: [Slot]
  private let readsEnvironmentWraps: Bool

  /// A class, because an array cannot hold what has only one owner.
  private final class Slot: Sendable {
    let key: SecretBytes
    let id: String

    init(_ key: consuming SecretBytes) throws(Problem) {
      guard key.count == KeyEncryptionKeys.keyBytes else { throw .wrongLength(key.count) }
      id = "v2:" + Hex.encode(SHA256.digest(key.bytes).prefix(4))
      self.key = key
    }
  }

  package convenience init(
    current text: Span<UInt8>, readsEnvironmentWraps: Bool = true
  ) throws(Problem) {
    let slot = try Slot(Self.decode(text))
    guard !Self.isZero(slot.key) else { throw .zeroes }
    try self.init(slots: [slot], readsEnvironmentWraps: readsEnvironmentWraps)
  }

  private init(slots: [Slot], readsEnvironmentWraps: Bool) throws(Problem) {
    guard Set(slots.map(\.id)).count == slots.count else { throw .repeated }
    (self.slots, self.readsEnvironmentWraps) = (slots, readsEnvironmentWraps)
  }

  /// The same keys and former ones, separated by commas, each in base64. They open and never wrap.
  package func adding(former list: Span<UInt8>) throws(Problem) -> KeyEncryptionKeys {
    var slots = slots
    var start = 0
    for end in 0...list.count where end == list.count || list[end] == UInt8(ascii: ",") {
      slots.append(try Slot(Self.decode(list.extracting(start..<end))))
      start = end + 1
    }
    return try KeyEncryptionKeys(slots: slots, readsEnvironmentWraps: readsEnvironmentWraps)
  }

  package var currentId: String { slots[0].id }
  package var ids: [String] { slots.map(\.id) }

  func wrap(_ master: borrowing MasterKey, of user: Identifier) throws(VaultFailure) -> WrappedMasterKey {
    try WrappedMasterKey.seal(master, under: slots[0].key, keyId: slots[0].id, of: user)
  }

  func unwrap(_ wrapped: WrappedMasterKey, of user: Identifier) throws(VaultFailure) -> MasterKey {
    guard wrapped.keyId == Self.environmentId else {
      guard let slot = slots.first(where: { $0.id == wrapped.keyId }) else { throw .unopenable }
      return try wrapped.open(under: slot.key, aad: WrappedMasterKey.aad(user, wrapped.keyId))
    }
    guard readsEnvironmentWraps else { throw .unopenable }
    // The name tells nothing about the key, so each is tried.
    for slot in slots {
      do throws(VaultFailure) { return try wrapped.open(under: slot.key, aad: []) } catch {
        guard error == .unopenable else { throw error }
      }
    }
    throw .unopenable
  }

  private static func isZero(_ key: borrowing SecretBytes) -> Bool {
    var combined: UInt8 = 0
    for index in 0..<key.count { combined |= key.bytes[index] }
    return combined == 0
  }

  private static func decode(_ text: Span<UInt8>) throws(Problem) -> SecretBytes {
    let key: SecretBytes?
    do throws(SecretError) { key = try SecretBase64.decodeForgiving(text) } catch {
      throw .failed(.outOfLockedMemory)
    }
    guard let key else { throw .notBase64 }
    return key
  }
}
