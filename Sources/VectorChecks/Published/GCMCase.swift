// One AES-GCM case, wherever it comes from, through our door in both directions.

import Cryptography
import Secrets

struct GCMCase: Sendable {
  let key: [UInt8]
  let iv: [UInt8]
  let aad: [UInt8]
  let message: [UInt8]
  let ciphertext: [UInt8]
  let tag: [UInt8]

  /// Our door makes and takes 16-byte tags only; a shorter one is easier to forge, and no format of ours has one.
  static let shortTag = "tag shorter than 128 bits"

  /// Nil where sealing gives exactly the ciphertext and the tag, as far as the tag goes.
  func sealDifference() throws(CryptographyError) -> String? {
    var cipher = try AESGCM()
    let sealed = try cipher.seal(message.span, key: key.span, iv: iv.span, aad: aad.span)
    let (body, whole) = (Array(sealed.dropLast(AESGCM.tagBytes)), sealed.suffix(AESGCM.tagBytes))
    return Difference.between(ciphertext, body, "the ciphertext")
      ?? Difference.between(tag, Array(whole.prefix(tag.count)), "the tag")
  }

  /// Nil where opening gives exactly the message. Throws `.rejected` where it does not open.
  func openDifference() throws(CryptographyError) -> String? {
    var cipher = try AESGCM()
    let sealed = ciphertext + tag
    let opened: WipedBytes = try cipher.open(sealed.span, key: key.span, iv: iv.span, aad: aad.span)
    let isRight = ConstantTime.equal(opened.bytes, message.span)
    return isRight ? nil : "another message came out of the opening"
  }
}
