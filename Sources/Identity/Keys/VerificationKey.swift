// One public key that tokens may be signed with.

import Contracts
import Cryptography

struct VerificationKey: Sendable, Equatable {
  private let key: Ed25519PublicKey

  /// Nil unless these are the 32 bytes of a point that only the owner of a private key can sign for.
  init?(raw: [UInt8]) {
    guard raw.count == Ed25519PublicKey.rawBytes, !Self.isWeak(raw) else { return nil }
    do {
      key = try Ed25519PublicKey(raw: raw.span)
    } catch {
      return nil
    }
  }

  func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    do {
      try key.verify(signature: signature.span, message: message.span)
      return true
    } catch {
      return false
    }
  }

  /// Points of small order, for which anybody can sign (OpenSSL does not mind them), and coordinates at or above the
  /// prime, which spell a point a second time. A point is its y coordinate and a sign; the eight points of small order
  /// have five y coordinates between them.
  private static func isWeak(_ raw: [UInt8]) -> Bool {
    var y = raw
    y[31] &= 0x7F
    let isAbovePrime = y[31] == 0x7F && y[1..<31].allSatisfy { $0 == 0xFF } && y[0] >= 0xED
    return isAbovePrime || smallOrder.contains(y)
  }

  /// 2^255 - 19 less one, one, zero, and the two of order eight; little-endian.
  private static let smallOrder: [[UInt8]] = [
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  ].map { text in
    guard let bytes = Hex.decode(text) else { preconditionFailure("a constant is not hex") }
    return bytes
  }
}
