// What the file held before: RSA keys and RSA-OAEP ciphertexts cannot be made again from a seed, so they are taken
// over where they still do what the new file says of them.

import Contracts
import Cryptography
import Secrets

struct FormerFile {
  private var tests: [JSONString: JSONObject] = [:]
  private(set) var keys: [JSONString: JSONObject] = [:]

  /// Nothing to keep: everything is drawn anew.
  init() {}

  /// A file that cannot be read keeps nothing.
  init(_ content: [UInt8]) {
    guard let json = try? JSONValue(parsing: content.span) else { return }
    for group in json["testGroups"]?.array ?? [] {
      for test in group["tests"]?.array ?? [] {
        guard let object = test.object, let comment = object["comment"]?.text else { continue }
        tests[JSONString(comment)] = object
      }
      for key in group["keys"]?.array ?? [] {
        guard let object = key.object, let name = object["name"]?.text else { continue }
        keys[JSONString(name)] = object
      }
    }
  }

  func test(_ comment: String) -> JSONObject? { tests[JSONString(comment)] }

  /// The ciphertext of the test with this comment, if it still opens to `plaintext`; otherwise a new one.
  func wrap(
    _ plaintext: [UInt8], for pair: ThrowAwayKeys.Pair, label: [UInt8], hash: OAEPHash = .sha256,
    mgf: OAEPHash = .sha256, comment: String
  ) throws -> [UInt8] {
    if let text = test(comment)?["grant"]?.text, let grant = try? JSONValue(parsing: text),
      let kept = grant["wrappedKey"]?.text.flatMap({ Base64.decodeForgiving(Array($0.utf8).span) }),
      opens(kept, to: plaintext, pair, label, hash, mgf)
    {
      return kept
    }
    return try pair.publicKey.encryptOAEP(plaintext.span, label: label.span, hash: hash, mgf: mgf)
  }

  private func opens(
    _ wrapped: [UInt8], to plaintext: [UInt8], _ pair: ThrowAwayKeys.Pair, _ label: [UInt8], _ hash: OAEPHash,
    _ mgf: OAEPHash
  ) -> Bool {
    do {
      let opened = try pair.privateKey.decryptOAEP(wrapped.span, label: label.span, hash: hash, mgf: mgf)
      return opened.equals(plaintext.span)
    } catch { return false }
  }
}
