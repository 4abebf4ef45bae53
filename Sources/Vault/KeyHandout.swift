// The answer that carries a master key to its owner, as the bytes of its JSON: `{masterKey, formatVersion, kekId}` as in
// the seeds. It is written here, into memory that is wiped, because the key must become neither a String nor an Array.

import Contracts
package import Secrets

package struct KeyHandout: ~Copyable {
  /// The whole body; what sends it owns it and wipes it.
  package let body: WipedBytes

  init(_ master: borrowing MasterKey, formatVersion: Int, keyId: String) {
    // Room for all of it, so that nothing moves while it grows.
    var body = WipedBytes(capacity: 256 + keyId.utf8.count)
    Self.add("{\"masterKey\":\"", to: &body)
    // The alphabet needs no escapes in JSON.
    Base64.encode(master.secret.bytes) { body.append($0) }
    Self.add("\",\"formatVersion\":\(formatVersion),\"kekId\":", to: &body)
    JSONValue.quoted(keyId.utf8) { body.append($0) }
    body.append(UInt8(ascii: "}"))
    self.body = body
  }

  package consuming func intoBody() -> WipedBytes { body }

  private static func add(_ text: String, to body: inout WipedBytes) {
    for byte in text.utf8 { body.append(byte) }
  }
}
