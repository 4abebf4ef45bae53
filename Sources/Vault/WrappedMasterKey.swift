// A master key as its row holds it: AES-256-GCM under a key encryption key, base64 in two columns as in the seeds.
//
// `env-v1` wraps have no AAD, so whoever writes rows could give one user another's key; they are read, behind a switch,
// and never written. Ours bind user and key id.

import Contracts
import Cryptography
import Secrets

package struct WrappedMasterKey: Sendable, Equatable {
  package let ciphertext: String
  package let iv: String
  package let keyId: String

  package init(ciphertext: String, iv: String, keyId: String) {
    (self.ciphertext, self.iv, self.keyId) = (ciphertext, iv, keyId)
  }

  static let ivBytes = 12
  static let wrapBytes = MasterKey.byteCount + AESGCM.tagBytes

  static func seal(
    _ master: borrowing MasterKey, under key: borrowing SecretBytes, keyId: String, of user: Identifier
  ) throws(VaultFailure) -> WrappedMasterKey {
    do throws(CryptographyError) {
      var cipher = try AESGCM()
      let iv = try SecureRandom.bytes(ivBytes)
      let aad = aad(user, keyId)
      let sealed = try cipher.seal(master.secret.bytes, key: key.bytes, iv: iv.span, aad: aad.span)
      return WrappedMasterKey(ciphertext: Base64.encode(sealed.span), iv: Base64.encode(iv.span), keyId: keyId)
    } catch { throw .failed(error) }
  }

  func open(under key: borrowing SecretBytes, aad: [UInt8]) throws(VaultFailure) -> MasterKey {
    let (text, ivText) = (Array(ciphertext.utf8), Array(iv.utf8))
    guard let sealed = Base64.decodeForgiving(text.span), sealed.count == Self.wrapBytes,
      let iv = Base64.decodeForgiving(ivText.span), iv.count == Self.ivBytes
    else { throw .unopenable }
    let opened: SecretBytes
    do throws(CryptographyError) {
      var cipher = try AESGCM()
      opened = try cipher.open(sealed.span, key: key.bytes, iv: iv.span, aad: aad.span)
    } catch { throw error == .rejected ? .unopenable : .failed(error) }
    guard let master = MasterKey(opened) else { throw .unopenable }
    return master
  }

  static func aad(_ user: Identifier, _ keyId: String) -> [UInt8] {
    var frame = Frame()
    frame.add("mandate/v2/vault")
    frame.add(user)
    frame.add(keyId)
    return frame.bytes
  }
}
