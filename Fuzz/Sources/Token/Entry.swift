// Tokens: what has the right form has one spelling, and no key that cannot have signed it is taken to have.

import Contracts
import Harness

@testable import Identity

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe withInput(start, count) { input in
    let bytes = [UInt8](bytes: input)
    let text = String(decoding: bytes, as: UTF8.self)
    let token: ReadToken
    do throws(TokenRefusal) {
      token = try ReadToken(text)
    } catch {
      demand(expected.contains(error), "a form is refused for its form")
      demand(error != .tooLong || text.utf8.count > IdentityConfiguration.longestToken, "only long is too long")
      return
    }
    demand(bytes.allSatisfy { $0 < 0x80 }, "a token is ASCII")
    demand(!token.keyID.isEmpty, "a token names a key")
    demand(token.signature.count == ReadToken.signatureBytes, "a signature has one length")
    let spelled = Array(token.signed + [UInt8(ascii: ".")] + Base64URL.encode(token.signature.span).utf8)
    demandSame(spelled, bytes, "a token has one spelling")
    guard let key else { return demand(false, "the constant is a key") }
    do throws(TokenRefusal) {
      _ = try token.proven(by: key)
      demand(false, "nobody signs without the key")
    } catch {
      demand(error == .wrongSignature, "a signature that does not hold is called so")
    }
  }
}

private let expected: [TokenRefusal] = [
  .tooLong, .malformed, .duplicateMember, .wrongAlgorithm, .unsupportedHeader, .noKeyID,
]

/// The first public key of RFC 8032's test vectors; nothing here is signed with its other half.
private let key = Hex.decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").flatMap {
  VerificationKey(raw: $0)
}
