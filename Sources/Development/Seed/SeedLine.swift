// One line of what `mandate-dev seed` reads: a change as a user's device hands it to a sync server.

import Contracts
import Cryptography
import Store

enum SeedLine {
  struct Problem: Error, Equatable {
    let sentence: String
  }

  private static let members: Set<String> = [
    "id", "userId", "appId", "tableName", "recordId", "op", "data", "fieldMeta", "clientId",
  ]

  static func change(_ line: String) throws(Problem) -> DeviceChange {
    let object: JSONObject
    do throws(JSONProblem) {
      guard let found = try JSONValue(parsing: line, duplicateKeys: .refused).object else {
        throw JSONProblem.syntax(offset: 0)
      }
      object = found
    } catch .duplicateKey {
      throw Problem(sentence: "a member stands twice")
    } catch {
      throw Problem(sentence: "is no JSON object")
    }
    if let unknown = object.members.first(where: { !members.contains($0.key.text) }) {
      throw Problem(sentence: "has a member that nothing reads: \(unknown.key.text)")
    }
    guard let operation = object["op"]?.text.flatMap(DeviceChange.Operation.init) else {
      throw Problem(sentence: "op must be insert, update or delete")
    }
    let data = object["data"].flatMap { $0.isNull ? nil : $0 }
    guard data == nil || data?.object != nil else { throw Problem(sentence: "data must be an object or null") }
    let meta = object["fieldMeta"] ?? .object(JSONObject())
    guard let stamps = meta.object, stamps.members.allSatisfy({ $0.value.text != nil }) else {
      throw Problem(sentence: "fieldMeta must be an object of texts")
    }
    return DeviceChange(
      id: try id(object["id"], of: object), user: try identifier("userId", object),
      address: RecordAddress(
        app: try identifier("appId", object), table: try identifier("tableName", object),
        record: try identifier("recordId", object)),
      operation: operation, data: data, fieldMeta: meta,
      client: object["clientId"] == nil ? "mandate-dev" : try identifier("clientId", object).text)
  }

  private static func identifier(_ name: String, _ object: JSONObject) throws(Problem) -> Identifier {
    let text = object[name]?.text
    do throws(IdentifierProblem) {
      guard let text else { throw .empty }
      return try Identifier(checking: text)
    } catch {
      throw Problem(sentence: "\(name) must be a text of 1 to 256 bytes without control characters")
    }
  }

  /// Where the device gave none, one that is made of the line's content: the same line is then the same change.
  private static func id(_ given: JSONValue?, of object: JSONObject) throws(Problem) -> String {
    guard let given else { return uuid(SHA256.digest(JSONValue.object(object).compactBytes())) }
    let lengths = given.text?.split(separator: "-", omittingEmptySubsequences: false).map(\.utf8.count)
    guard let text = given.text, lengths == [8, 4, 4, 4, 12],
      text.utf8.allSatisfy({ $0 == 0x2D || (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { throw Problem(sentence: "id must be a UUID in small letters") }
    return text
  }

  /// RFC 9562, version 8: bytes of our own making.
  private static func uuid(_ digest: [UInt8]) -> String {
    var bytes = Array(digest.prefix(16))
    bytes[6] = bytes[6] & 0x0F | 0x80
    bytes[8] = bytes[8] & 0x3F | 0x80
    let hex = Hex.encode(bytes[...])
    var text = ""
    for (place, digit) in hex.enumerated() {
      if [8, 12, 16, 20].contains(place) { text.append("-") }
      text.append(digit)
    }
    return text
  }
}
