// Small words that every test here speaks.

import Cryptography
import Secrets

extension String {
  /// The bytes that this hex spells; spaces are for the eye. A wrong digit stops the test.
  var hex: [UInt8] {
    let digits = filter { $0 != " " }.compactMap(\.hexDigitValue)
    precondition(digits.count == filter { $0 != " " }.count && digits.count % 2 == 0, "not hex: \(self)")
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
  }

  var bytes: [UInt8] { Array(utf8) }
}

/// A message as known answers give it.
struct Message: Sendable {
  var key: [UInt8]
  var iv: [UInt8]
  var aad: [UInt8] = []
  var plaintext: [UInt8] = []
}

extension AESGCM {
  mutating func seal(_ message: Message) throws(CryptographyError) -> [UInt8] {
    try seal(message.plaintext.span, key: message.key.span, iv: message.iv.span, aad: message.aad.span)
  }

  mutating func open(_ sealed: [UInt8], as message: Message) throws(CryptographyError) -> [UInt8] {
    let opened: WipedBytes = try open(
      sealed.span, key: message.key.span, iv: message.iv.span, aad: message.aad.span)
    return copied(opened.bytes)
  }

  /// Why a sealed message was refused, or nil if it opened.
  mutating func refusal(_ sealed: [UInt8], as message: Message) -> CryptographyError? {
    do {
      _ = try open(sealed, as: message)
      return nil
    } catch {
      return error
    }
  }
}

extension RSAPrivateKey {
  init(text: String) throws(KeyLoadError) {
    let bytes = text.bytes
    try self.init(pem: bytes.span)
  }

  borrowing func open(
    _ sealed: [UInt8], label: [UInt8] = [], hash: OAEPHash = .sha256, mgf: OAEPHash = .sha256
  ) throws(CryptographyError) -> [UInt8] {
    let opened = try decryptOAEP(sealed.span, label: label.span, hash: hash, mgf: mgf)
    return copied(opened.bytes)
  }

  borrowing func refusal(
    _ sealed: [UInt8], label: [UInt8] = [], hash: OAEPHash = .sha256, mgf: OAEPHash = .sha256
  ) -> CryptographyError? {
    do {
      _ = try open(sealed, label: label, hash: hash, mgf: mgf)
      return nil
    } catch {
      return error
    }
  }
}

extension RSAPublicKey {
  init(text: String) throws(KeyLoadError) {
    let bytes = text.bytes
    try self.init(pem: bytes.span)
  }

  func seal(
    _ plaintext: [UInt8], label: [UInt8] = [], hash: OAEPHash = .sha256, mgf: OAEPHash = .sha256
  ) throws(CryptographyError) -> [UInt8] {
    try encryptOAEP(plaintext.span, label: label.span, hash: hash, mgf: mgf)
  }
}

func copied(_ bytes: Span<UInt8>) -> [UInt8] { bytes.indices.map { bytes[$0] } }

/// The error that a piece of work ends with, or nil.
func failure(_ work: () throws(CryptographyError) -> Void) -> CryptographyError? {
  do {
    try work()
    return nil
  } catch {
    return error
  }
}

func loadFailure(_ work: () throws(KeyLoadError) -> Void) -> KeyLoadError? {
  do {
    try work()
    return nil
  } catch {
    return error
  }
}
