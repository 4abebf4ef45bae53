// What the groups of enc:2 fields and sealed copies share: one record and its key.

import Contracts
import Grants
import Secrets

/// A closure that may escape cannot hold what has only one owner; this can.
final class RecordKeyOwner {
  let key: RecordKey

  static let members: [Shape.Member] = [
    .init("masterKey", .hex(bytes: 32)), .init("userId", .text), .init("table", .text), .init("recordId", .text),
    .init("recordKey", .hex(bytes: 32)),
  ]

  static let placeMembers: [Shape.Member] = [
    .init("placeUserId", .text), .init("placeTable", .text), .init("placeRecordId", .text), .init("placeField", .text),
  ]

  init(_ group: Members) throws {
    let masterBytes = group.bytes("masterKey")
    let master = try SecretBytes(copying: masterBytes.span)
    var deriver = try KeyDeriver()
    let derived = try deriver.recordKey(
      master: master, user: Identifier(group.text("userId")),
      record: Names.record(group.text("table"), group.text("recordId")))
    guard derived.equals(group.bytes("recordKey").span) else {
      throw UnreadableVectors(why: "the record key is not the one that its inputs give")
    }
    key = derived
  }

  static func place(_ test: Members) throws -> FieldPlace {
    FieldPlace(
      user: Identifier(test.text("placeUserId")),
      record: try Names.record(test.text("placeTable"), test.text("placeRecordId")), field: test.text("placeField"))
  }
}

/// Where a value stands, as the cases spell it; the defaults are the group's own record.
struct PlaceNames: Sendable {
  var user = Material.user
  var table = "notes"
  var id = "n1"
  var field = "title"

  /// The group's own record and its title.
  static let here = PlaceNames()

  static let record: [(String, JSONValue)] = [
    ("masterKey", .hex(Material.master)), ("userId", .text(Material.user)), ("table", .text("notes")),
    ("recordId", .text("n1")),
  ]

  static func recordKey() throws -> PublishedBytes {
    let info = Material.frame("mandate/v2/record-key", Material.user, "notes", "n1")
    return try Material.hkdf(Material.master, salt: [], info: info)
  }

  func aad(_ domain: String, _ more: String...) -> [UInt8] {
    Material.frame(([domain, user, table, id, field] + more).map { Array($0.utf8) })
  }

  var members: [(String, JSONValue)] {
    [
      ("placeUserId", .text(user)), ("placeTable", .text(table)), ("placeRecordId", .text(id)),
      ("placeField", .text(field)),
    ]
  }

  /// Everywhere else that the group's record key could be tried.
  static let elsewhere: [(String, PlaceNames)] = [
    ("another field", PlaceNames(field: "content")), ("the field in other case", PlaceNames(field: "Title")),
    ("an empty field", PlaceNames(field: "")), ("another record", PlaceNames(id: "n2")),
    ("another table", PlaceNames(table: "tasks")), ("another user", PlaceNames(user: "user-9")),
    ("the boundary of table and id moved", PlaceNames(table: "note", id: "sn1")),
    ("the boundary of id and field moved", PlaceNames(id: "n1t", field: "itle")),
  ]
}
