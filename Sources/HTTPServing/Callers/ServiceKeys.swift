// Which services may call: those that send a key in `X-Service-Key`, or whose process has a known uid.

package import Secrets

/// The accepted keys: one, or two while one takes the other's place.
package final class ServiceKeys: Sendable {
  /// Shorter ones could be guessed; 16 bytes of anything random could not.
  package static let shortestBytes = 16

  package enum Failure: Error, Equatable {
    case tooShort(minimum: Int)
    case arena(SecretError)
  }

  private final class Key: Sendable {
    let bytes: SecretBytes
    init(_ bytes: consuming SecretBytes) { self.bytes = bytes }
  }

  private let keys: [Key]

  /// A lower `minimum` is for development, where the key is published anyway.
  package convenience init(_ key: consuming SecretBytes, minimum: Int = shortestBytes) throws(Failure) {
    guard key.count >= max(minimum, 1) else { throw .tooShort(minimum: max(minimum, 1)) }
    self.init(keys: [Key(key)])
  }

  private init(keys: [Key]) { self.keys = keys }

  /// The same keys and one more.
  package func adding(_ key: consuming SecretBytes, minimum: Int = shortestBytes) throws(Failure) -> ServiceKeys {
    guard key.count >= max(minimum, 1) else { throw .tooShort(minimum: max(minimum, 1)) }
    return ServiceKeys(keys: keys + [Key(key)])
  }

  /// Every key is compared, so that the time says nothing about which one it was.
  func accept(_ presented: borrowing WipedBytes) -> Bool {
    var accepted = false
    for key in keys where key.bytes.equals(presented.bytes) { accepted = true }
    return accepted
  }
}

/// What came in `X-Service-Key`, in memory that is wiped. `@unchecked Sendable`: never changed after it is made.
final class PresentedServiceKey: @unchecked Sendable {
  let bytes: WipedBytes
  init(_ bytes: consuming sending WipedBytes) { self.bytes = bytes }
}

/// What a group of routes demands of its callers: a key, or a uid; either is enough.
package struct ServiceAuthentication: Sendable {
  private let keys: ServiceKeys?
  private let uids: Set<UInt32>

  package init(keys: ServiceKeys? = nil, uids: Set<UInt32> = []) {
    self.keys = keys
    self.uids = uids
  }

  package func admits(_ request: HTTPRequest) -> Bool {
    if let uid = request.peer.uid, uids.contains(uid) { return true }
    guard let keys, let presented = request.serviceKey else { return false }
    return keys.accept(presented.bytes)
  }
}
