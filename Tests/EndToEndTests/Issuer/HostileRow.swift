// One row of the table: what is sent, and what must come back. Unless a row says otherwise nothing in the database
// changes by it.

import HTTPFetching

struct HostileRow: Sendable {
  let name: String
  var method = HTTPMethod.post
  var path = Self.issue
  var body: [UInt8]?
  var headers: [(String, String)] = []
  /// Who asks; nil for nobody.
  var user: String? = "anna"
  var inside = false
  let status: Int
  var code: String?
  var changes = false

  static let issue = "/api/v1/me/ai-mission-grant"
  static let vault = "/api/v1/me/encryption-vault"

  /// A wish for a grant, refused with 400 unless said otherwise.
  static func wish(
    _ name: String, _ body: String, _ status: Int = 400, _ code: String? = "BAD_REQUEST", changes: Bool = false
  ) -> HostileRow {
    HostileRow(name: name, body: Array(body.utf8), status: status, code: code, changes: changes)
  }

  /// A wish whose members are given as JSON text.
  static func wish(
    _ name: String, mission: String = "\"m\"", tables: String = "[\"notes\"]", records: String = "[\"notes:n1\"]",
    more: String = "", _ status: Int = 400, _ code: String? = "BAD_REQUEST", changes: Bool = false
  ) -> HostileRow {
    wish(
      name, "{\"missionId\":\(mission),\"tables\":\(tables),\"recordIds\":\(records)\(more)}", status, code,
      changes: changes)
  }

  static func get(_ name: String, _ path: String, _ status: Int = 400, _ code: String? = "BAD_REQUEST") -> HostileRow {
    HostileRow(name: name, method: .get, path: path, status: status, code: code)
  }

  static func post(
    _ name: String, _ path: String, _ body: String, _ status: Int = 400, _ code: String? = "BAD_REQUEST",
    changes: Bool = false
  ) -> HostileRow {
    HostileRow(name: name, path: path, body: Array(body.utf8), status: status, code: code, changes: changes)
  }
}
