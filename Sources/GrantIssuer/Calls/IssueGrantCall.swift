// What a client asks to have granted: names that nobody trusts yet. Read in the seeds' order: the shape that they know
// first, then, once it is clear that grants can be issued at all, what v2 asks of names and options.

import Contracts

package struct IssueGrantCall: Sendable {
  let mission: String
  let tables: [String]
  let recordIds: [String]
  /// In milliseconds; nil where it is not a JSON number, which the seeds silently take for the default.
  let ttl: Double?
  private let options: JSONObject

  static let mostRecords = Scope.maximumRecords

  package init(_ body: Span<UInt8>) throws(IssuerProblem) {
    let value: JSONValue
    do throws(JSONProblem) { value = try JSONValue(parsing: body) } catch {
      throw .badRequest("The body is not JSON.")
    }
    guard let object = value.object else { throw .badRequest("The body must be a JSON object.") }
    guard let mission = object["missionId"]?.text, !mission.isEmpty else {
      throw .badRequest("missionId must be a string that is not empty.")
    }
    guard let tables = object["tables"]?.texts else { throw .badRequest("tables must be an array of strings.") }
    guard let recordIds = object["recordIds"]?.texts else {
      throw .badRequest("recordIds must be an array of strings.")
    }
    self.mission = mission
    self.tables = tables
    self.recordIds = recordIds
    ttl = object["ttlMs"]?.number?.double
    options = object
  }

  /// Repetitions count: it is the request that is bounded here.
  func checkCounts() throws(IssuerProblem) {
    guard !tables.isEmpty else { throw .badRequest("tables must not be empty.") }
    guard !recordIds.isEmpty else { throw .badRequest("recordIds must not be empty.") }
    guard recordIds.count <= Self.mostRecords else {
      throw .badRequest("recordIds must not have more than \(Self.mostRecords) entries.")
    }
  }

  enum Version { case v1, v2 }

  func version(issuesV1: Bool) throws(IssuerProblem) -> Version {
    switch options["version"] {
    case nil, .null?, .string(JSONString("v2"))?: return .v2
    case .string(JSONString("v1"))? where issuesV1: return .v1
    case .string(JSONString("v1"))?: throw .badRequest("version v1 is not issued here.")
    default: throw .badRequest("version must be \"v2\" or \"v1\".")
    }
  }

  func flag(_ name: String) throws(IssuerProblem) -> Bool {
    switch options[name] {
    case nil, .null?: return false
    case .bool(let value)?: return value
    default: throw .badRequest("\(name) must be a boolean.")
    }
  }

  func purpose() throws(IssuerProblem) -> String? {
    switch options["purpose"] {
    case nil, .null?: return nil
    case .string(let value)?:
      do throws(IdentifierProblem) { return try Identifier(checking: value.text).text } catch {
        throw .badRequest("purpose must be a text of 1 to 256 bytes without control characters.")
      }
    default: throw .badRequest("purpose must be a string.")
    }
  }
}

/// The names of a v2 grant, checked: from here on their bytes are fixed.
struct ConsentedScope: Sendable {
  let mission: Identifier
  let scope: Scope

  init(_ call: IssueGrantCall) throws(IssuerProblem) {
    do throws(IdentifierProblem) { mission = try Identifier(checking: call.mission) } catch {
      throw .badRequest("missionId must have 1 to 256 bytes and no control characters.")
    }
    for (place, table) in call.tables.enumerated() {
      do throws(IdentifierProblem) { _ = try TableName(table) } catch {
        throw .badRequest("tables[\(place)] is not the name of a table.")
      }
    }
    var names: [RecordName] = []
    for (place, text) in call.recordIds.enumerated() {
      do throws(ScopeProblem) { names.append(try RecordName(joined: text)) } catch {
        throw .badRequest("recordIds[\(place)] is not a table, a colon and an id of 1 to 256 bytes.")
      }
    }
    do throws(ScopeProblem) { scope = try Scope(of: names) } catch {
      throw .badRequest("recordIds must name 1 to \(Scope.maximumRecords) records.")
    }
    // Whoever was asked for a table must see it in use, and nothing is granted in a table that was not named.
    guard Set(call.tables.map { Identifier($0) }) == Set(scope.tables.map { Identifier($0) }) else {
      throw .badRequest("tables must be exactly the tables that recordIds are in.")
    }
  }
}
