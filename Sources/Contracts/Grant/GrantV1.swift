// A grant as the seeds' system stores it in the `grant` field of a mission. Nothing in it is authenticated but 32
// wrapped bytes, so it is read leniently and trusted with nothing; v2 repairs that.

package struct GrantV1: Sendable {
  package var wrappedKey: String
  package var derivation: Derivation
  package var issuedAt: String
  package var expiresAt: String

  package struct Derivation: Sendable {
    package let missionId: String
    package let tables: [String]
    package let recordIds: [String]

    /// Both lists are stored in the order that the derivation uses: by UTF-16 code units, duplicates kept.
    package init(missionId: String, tables: [String], recordIds: [String]) {
      self.missionId = missionId
      self.tables = tables.sorted(by: precedesInUTF16)
      self.recordIds = recordIds.sorted(by: precedesInUTF16)
    }
  }

  package init(wrappedKey: String, derivation: Derivation, issuedAt: String, expiresAt: String) {
    self.wrappedKey = wrappedKey
    self.derivation = derivation
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
  }

  /// Members in the order the seeds' issuer writes them.
  package var json: JSONValue {
    .object(
      JSONObject(members: [
        ("wrappedKey", .string(wrappedKey)),
        (
          "derivation",
          .object(
            JSONObject(members: [
              ("version", .string("v1")),
              ("missionId", .string(derivation.missionId)),
              ("tables", .array(derivation.tables.map(JSONValue.string))),
              ("recordIds", .array(derivation.recordIds.map(JSONValue.string))),
            ]))
        ),
        ("issuedAt", .string(issuedAt)),
        ("expiresAt", .string(expiresAt)),
      ]))
  }
}

/// Byte for byte. The equality that the compiler would write takes `é` and `e` + U+0301 for the same record.
extension GrantV1: Equatable {
  package static func == (left: GrantV1, right: GrantV1) -> Bool { left.json == right.json }
}

extension GrantV1.Derivation: Equatable {
  package static func == (left: Self, right: Self) -> Bool {
    Identifier(left.missionId) == Identifier(right.missionId)
      && left.tables.map { Identifier($0) } == right.tables.map { Identifier($0) }
      && left.recordIds.map { Identifier($0) } == right.recordIds.map { Identifier($0) }
  }
}

/// What the opening of a v1 grant looks at, each part nil where it is missing or of the wrong type.
package struct StoredGrantV1: Sendable {
  package let wrappedKey: String?
  package let expiresAt: Instant?
  package let recordIds: [String]?

  package init(_ json: JSONValue) {
    wrappedKey = json["wrappedKey"]?.text
    expiresAt = json["expiresAt"]?.text.flatMap(Instant.init(iso:))
    recordIds = json["derivation"]?["recordIds"]?.texts
  }
}

/// The seeds' canonical string, the HKDF info of a v1 mission key. It is not injective; that is why v2 exists.
package func canonicalScopeV1(tables: [String], recordIds: [String]) -> String {
  "mana-ai-mission-grant:v1:tables=" + tables.sorted(by: precedesInUTF16).joined(separator: ",") + ":ids="
    + recordIds.sorted(by: precedesInUTF16).joined(separator: ",")
}
