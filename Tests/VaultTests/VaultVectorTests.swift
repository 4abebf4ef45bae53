// The published rows, through the code that the issuer runs: what is valid opens, is known by its check value and is
// sealed again to the same bytes but for the IV; what is invalid does not open.

import Contracts
import Foundation
import Secrets
import Testing

@testable import Vault

@Suite struct VaultVectorTests {
  @Test("Every published row opens here as the file says, or is refused")
  func published() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Vectors")
    let file = try JSONValue(
      parsing: String(contentsOf: folder.appending(path: "vault-v2.1.json"), encoding: .utf8))
    let group = try #require(file["testGroups"]?.array?.first)
    let kek = try #require(Self.bytes(group["kek"]))
    let text = Array(Base64.encode(kek.span).utf8)
    let keys = try KeyEncryptionKeys(current: text.span)
    #expect(keys.currentId == group["kekId"]?.text)
    var (opened, refused) = (0, 0)
    for test in try #require(group["tests"]?.array) {
      let user = Identifier(try #require(test["userId"]?.text))
      let row = WrappedMasterKey(
        ciphertext: try #require(test["wrapped"]?.text), iv: try #require(test["iv"]?.text),
        keyId: try #require(test["rowKekId"]?.text))
      let comment = test["comment"]?.text ?? ""
      let isValid = test["result"]?.text == "valid"
      do throws(VaultFailure) {
        let master = try keys.unwrap(row, of: user)
        opened += 1
        let wanted = Self.bytes(test["masterKey"]) ?? []
        let isRight = master.secret.equals(wanted.span)
        let check = try master.check(of: user)
        #expect(isValid && isRight && check == Self.bytes(test["keyCheck"]), "\(comment)")
      } catch {
        refused += 1
        #expect(!isValid && error == .unopenable, "\(comment)")
      }
    }
    #expect(opened >= 10 && refused >= 20 && opened + refused == file["numberOfTests"]?.number?.integer.map { Int($0) })
  }

  private static func bytes(_ value: JSONValue?) -> [UInt8]? { (value?.text).flatMap { Hex.decode($0) } }
}
