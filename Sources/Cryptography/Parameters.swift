// OpenSSL's named parameters (OSSL_PARAM). Names and fixed values are static text, so they outlive every call; an
// array that a context of ours fills in place is owned by that context.

import COpenSSL

enum Parameters {
  /// `digest = SHA2-256`, made once and never written again.
  nonisolated(unsafe) static let digestSHA256: UnsafePointer<OSSL_PARAM> = {
    let made = UnsafeMutablePointer<OSSL_PARAM>.allocate(capacity: 2)
    unsafe made.initialize(to: text("digest", "SHA2-256"))
    unsafe (made + 1).initialize(to: OSSL_PARAM_construct_end())
    return unsafe UnsafePointer(made)
  }()

  static func text(_ name: StaticString, _ value: StaticString) -> OSSL_PARAM {
    let (key, data) = unsafe (name.characters, UnsafeMutablePointer(mutating: value.characters))
    return unsafe OSSL_PARAM_construct_utf8_string(key, data, value.utf8CodeUnitCount)
  }

  /// Bytes that OpenSSL only reads while the parameters are handed over; the pointer must live that long.
  static func bytes(_ name: StaticString, _ start: UnsafePointer<UInt8>, _ count: Int) -> OSSL_PARAM {
    let data = unsafe UnsafeMutableRawPointer(mutating: start)
    return unsafe OSSL_PARAM_construct_octet_string(name.characters, data, count)
  }
}

extension StaticString {
  /// A name that C may keep. OpenSSL does keep some (a decoder's input type, an encoder's output type, the name of
  /// a kind of key) without copying them, so every name that goes to it is static.
  var characters: UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
  }
}
