// The RSA pairs of the published vectors. Everybody has their private halves; each place that shows one says so.

import Contracts
import Cryptography
import Grants
import Secrets

struct ThrowAwayKeys {
  static let warning = "Published test key. Never use it for anything else."
  static let sizes: [(name: String, bits: Int)] = [("a", 2048), ("b", 2048), ("c", 3072), ("d", 4096)]

  /// A class, because a private key has only one owner and an array cannot hold it.
  final class Pair: Sendable {
    let name: String
    let bits: Int
    let pkcs8: [UInt8]
    let privateKey: RSAPrivateKey
    let publicKey: RSAPublicKey

    init(name: String, pkcs8: [UInt8]) throws {
      self.name = name
      self.pkcs8 = pkcs8
      let loaded = try RSAPrivateKey(pkcs8: pkcs8.span)
      publicKey = loaded.publicKey()
      bits = loaded.bits
      privateKey = loaded
    }
  }

  private let pairs: [Pair]

  init(keeping former: FormerFile) throws {
    pairs = try Self.sizes.map { name, bits in
      if let kept = former.keys[JSONString(name)]?["privateKeyPkcs8"]?.text.flatMap(Hex.decode),
        let pair = try? Pair(name: name, pkcs8: kept), pair.bits == bits
      {
        return pair
      }
      return try Pair(name: name, pkcs8: Self.made(bits: bits))
    }
  }

  subscript(name: String) -> Pair {
    guard let pair = pairs.first(where: { $0.name == name }) else {
      preconditionFailure("there is no test key \(name)")
    }
    return pair
  }

  private static func made(bits: Int) throws -> [UInt8] {
    let pem = try RSAPrivateKey.generate(bits: bits).pkcs8PEM()
    var text: [UInt8] = []
    for index in pem.bytes.indices { text.append(pem.bytes[index]) }
    let lines = text.split(separator: UInt8(ascii: "\n")).filter { $0.first != UInt8(ascii: "-") }
    guard let der = Base64.decodeStrict(Array(lines.joined()).span) else {
      preconditionFailure("a PEM of ours is base64 between its armour")
    }
    return der
  }

  // MARK: In a file

  static let shape = Shape.list(
    .object([
      .init("name", .text), .init("bits", .positiveInteger), .init("warning", .constant(warning)),
      .init("keyId", .hex(bytes: 16)), .init("publicKeySpki", .hex), .init("privateKeyPkcs8", .hex),
    ]))

  static func json(_ pairs: [Pair]) -> JSONValue {
    .array(
      pairs.map { pair in
        .object(
          JSONObject(members: [
            ("name", .string(pair.name)), ("bits", .number(JSONNumber(pair.bits))), ("warning", .string(warning)),
            ("keyId", .string(pair.publicKey.keyIdHex)), ("publicKeySpki", .hex(pair.publicKey.spki)),
            ("privateKeyPkcs8", .hex(pair.pkcs8)),
          ]))
      })
  }

  /// A resolver that tries `pairs` in their order.
  static func resolver(with pairs: [Pair]) throws -> ResolverKeys {
    var keys = ResolverKeys()
    for pair in pairs {
      let der = pair.pkcs8
      keys = keys.adding(try RSAPrivateKey(pkcs8: der.span))
    }
    return keys
  }

  /// The keys of a group, each checked against what the file says of it.
  static func pairs(in group: Members) throws -> [Pair] {
    try group.list("keys").map { member in
      let pair = try Pair(name: member.text("name"), pkcs8: member.bytes("privateKeyPkcs8"))
      guard pair.bits == member.integer("bits"), pair.publicKey.spki == member.bytes("publicKeySpki"),
        pair.publicKey.keyId == member.bytes("keyId")
      else { throw UnreadableVectors(why: "the key \(pair.name) is not what the file says of it") }
      return pair
    }
  }
}
