// An RSA private key given as its eight numbers, written as PKCS#8.
//
// Some collections print the numbers and nothing else. OpenSSL could make a key from numbers, but our door takes
// PKCS#8 alone, and the services gain nothing from a second way in; so the few lines of DER are written here, where
// only published test keys come by.

struct RSAKeyNumbers: Sendable, Equatable {
  var modulus: [UInt8] = []
  var publicExponent: [UInt8] = []
  var privateExponent: [UInt8] = []
  var prime1: [UInt8] = []
  var prime2: [UInt8] = []
  var exponent1: [UInt8] = []
  var exponent2: [UInt8] = []
  var coefficient: [UInt8] = []

  /// RFC 5208's PrivateKeyInfo around RFC 8017's RSAPrivateKey.
  var pkcs8: [UInt8] {
    let zero = DER.integer([])
    let numbers = [
      modulus, publicExponent, privateExponent, prime1, prime2, exponent1, exponent2, coefficient,
    ]
    let key = DER.sequence([zero] + numbers.map(DER.integer))
    return DER.sequence([zero, DER.sequence([DER.rsaEncryption, DER.null]), DER.octetString(key)])
  }
}

/// As much of X.690 as a private key needs.
enum DER {
  /// 1.2.840.113549.1.1.1.
  static let rsaEncryption: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]
  static let null: [UInt8] = [0x05, 0x00]

  /// Unsigned and big-endian, with however many zeroes in front; one is written where the first bit would be a sign.
  static func integer(_ number: [UInt8]) -> [UInt8] {
    let digits = Array(number.drop { $0 == 0 })
    guard let first = digits.first else { return tagged(0x02, [0]) }
    return tagged(0x02, first & 0x80 == 0 ? digits : [0] + digits)
  }

  static func octetString(_ content: [UInt8]) -> [UInt8] { tagged(0x04, content) }
  static func sequence(_ parts: [[UInt8]]) -> [UInt8] { tagged(0x30, parts.flatMap { $0 }) }

  /// The shortest form of the length, as DER demands.
  private static func tagged(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    guard content.count >= 0x80 else { return [tag, UInt8(content.count)] + content }
    var length: [UInt8] = []
    var rest = content.count
    while rest > 0 {
      length.insert(UInt8(rest & 0xFF), at: 0)
      rest >>= 8
    }
    return [tag, 0x80 | UInt8(length.count)] + length + content
  }
}
