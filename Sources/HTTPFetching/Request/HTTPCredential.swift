// A header whose value is a secret: a service key or a token of ours. The whole line lives in locked memory, and the
// copy that libcurl makes of it is wiped when the call ends.

package import Secrets

package final class HTTPCredential: Sendable {
  package let name: String
  /// `Name: prefix value` and a NUL, as libcurl takes it.
  let line: SecretBytes

  /// For `Authorization: Bearer …` the prefix is `Bearer ` with its space.
  package init(
    header name: String, prefix: String = "", secret: borrowing SecretBytes
  ) throws(HTTPFailure) {
    guard HTTPText.isToken(name), HTTPText.isValue(prefix) else { throw .invalidRequest("a credential has no name") }
    guard secret.count > 0 else { throw .invalidRequest("a credential is empty") }
    let value = secret.bytes
    for index in value.indices {
      guard value[index] > 0x20, value[index] < 0x7F else {
        throw .invalidRequest("a credential holds a character that a header cannot carry")
      }
    }
    let before = Array((name + ": " + prefix).utf8)
    var line: SecretBytes
    do {
      line = try SecretBytes(zeroed: before.count + value.count + 1)
    } catch {
      throw .broken("no locked memory is left for a credential")
    }
    var target = line.mutableBytes
    for index in before.indices { target[index] = before[index] }
    for index in value.indices { target[before.count + index] = value[index] }
    self.name = name
    self.line = line
  }
}
