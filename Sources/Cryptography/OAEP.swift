// RSA-OAEP (RFC 8017): the parameters of one operation, and the operation itself for both halves of a key.

import COpenSSL

/// Ours is `sha256`; the others exist because published vectors use them.
package enum OAEPHash: Sendable, CaseIterable {
  case sha1, sha224, sha256, sha384, sha512, sha512_224, sha512_256

  package var bytes: Int {
    switch self {
    case .sha1: 20
    case .sha224, .sha512_224: 28
    case .sha256, .sha512_256: 32
    case .sha384: 48
    case .sha512: 64
    }
  }

  fileprivate var openSSLName: StaticString {
    switch self {
    case .sha1: "SHA1"
    case .sha224: "SHA2-224"
    case .sha256: "SHA2-256"
    case .sha384: "SHA2-384"
    case .sha512: "SHA2-512"
    case .sha512_224: "SHA2-512/224"
    case .sha512_256: "SHA2-512/256"
    }
  }
}

enum OAEP {
  /// A label is hashed, so nothing but sense limits it; claims of a thousand records are far below.
  static let longestLabel = 1 << 20

  typealias Start = (OpaquePointer?, UnsafePointer<OSSL_PARAM>?) -> Int32

  /// A fresh context for one operation, set up in one call. OpenSSL copies the label.
  static func withContext<Result: ~Copyable>(
    _ key: KeyHandle, label: Span<UInt8>, hash: OAEPHash, mgf: OAEPHash, start: Start,
    _ body: (OpaquePointer) throws(CryptographyError) -> Result
  ) throws(CryptographyError) -> Result {
    guard label.count <= longestLabel else { throw .tooLong }
    guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil) else {
      throw .broken("OpenSSL has no memory for an RSA operation")
    }
    defer { unsafe EVP_PKEY_CTX_free(context) }
    let ready = unsafe label.withPointer { labelStart, labelCount in
      let end = unsafe OSSL_PARAM_construct_end()
      let parameters: [5 of OSSL_PARAM] = unsafe [
        Parameters.text("pad-mode", "oaep"),
        Parameters.text("digest", hash.openSSLName),
        Parameters.text("mgf1-digest", mgf.openSSLName),
        labelCount > 0 ? Parameters.bytes("oaep-label", labelStart, labelCount) : end,
        end,
      ]
      return unsafe parameters.span.withUnsafeBufferPointer { unsafe start(context, $0.baseAddress) }
    }
    guard ready == 1 else { throw .broken("OpenSSL refused the parameters of RSA-OAEP") }
    return try unsafe body(context)
  }
}
