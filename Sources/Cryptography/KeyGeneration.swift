// New keys of any kind.

import COpenSSL

extension KeyHandle {
  /// `bits` is for RSA only; OpenSSL's exponent is 65537.
  static func generate(_ kind: KeyKind, bits: Int32? = nil) throws(CryptographyError) -> KeyHandle {
    try Cryptography.lockHeap()
    defer { ERR_clear_error() }
    guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, kind.openSSLName.characters, nil) else {
      throw Algorithms.absent
    }
    defer { unsafe EVP_PKEY_CTX_free(context) }
    let failed = CryptographyError.broken("OpenSSL could not make a key")
    guard unsafe EVP_PKEY_keygen_init(context) == 1 else { throw failed }
    if let bits {
      guard unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits) == 1 else { throw failed }
    }
    var made: OpaquePointer?
    guard unsafe EVP_PKEY_generate(context, &made) == 1, let made = unsafe made else { throw failed }
    return unsafe KeyHandle(owning: made)
  }
}
