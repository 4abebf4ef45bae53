// A wish to enter zero-knowledge mode, or to leave it with the key. The key is read from where the body lies into locked
// memory; the body is never made into values that would copy it.

import Contracts
import Cryptography
import Secrets
package import Vault

package enum ZeroKnowledgeCall: ~Copyable {
  case enter
  case leave(SuppliedKey)

  package init(_ body: Span<UInt8>) throws(IssuerProblem) {
    let tape: JSONTape
    do throws(JSONProblem) { tape = try JSONTape(scanning: body) } catch { throw .badRequest("The body is not JSON.") }
    switch Self.member("enable", tape, body).map({ tape.nodes[$0].kind }) {
    case .true?: self = .enter
    case .false?: self = .leave(try Self.key(tape, body))
    default: throw .badRequest("enable must be a boolean.")
    }
  }

  private static func key(_ tape: JSONTape, _ body: Span<UInt8>) throws(IssuerProblem) -> SuppliedKey {
    let problem = IssuerProblem.badRequest("masterKey must be 32 bytes in base64.")
    guard let place = member("masterKey", tape, body), tape.nodes[place].kind == .string else { throw problem }
    var text = WipedBytes(capacity: 64)
    tape.emitString(place, in: body) { text.append($0) }
    do throws(SuppliedKey.Problem) { return try SuppliedKey(base64: text.bytes) } catch {
      throw error == .noLockedMemory ? .failed(.vault(.failed(.outOfLockedMemory))) : problem
    }
  }

  /// The value of a member; as in JavaScript the last one of that name.
  private static func member(_ name: String, _ tape: JSONTape, _ body: Span<UInt8>) -> Int? {
    guard tape.nodes[0].kind == .object else { return nil }
    let key = tape.children(of: 0).last { JSONString(tape.string($0, in: body)) == JSONString(name) }
    return key.map { $0 + 1 }
  }
}
