// What the runner asks the resolver for once per tick: the inputs of missions, each with the grant that its mission
// carries, still sealed. Nothing in here is trusted; what can be opened, the database and the keys decide.

package struct ResolveCall: Sendable {
  package let purpose: String
  package let requests: [Request]

  package struct Request: Sendable {
    package let user: String
    package let mission: String
    package let iteration: String?
    /// As it stands in the mission, whatever that is.
    package let grant: JSONValue
    package let inputs: [InputRef]

    package init(user: String, mission: String, iteration: String?, grant: JSONValue, inputs: [InputRef]) {
      (self.user, self.mission, self.iteration, self.grant, self.inputs) = (user, mission, iteration, grant, inputs)
    }
  }

  package struct InputRef: Sendable {
    package let module: String
    package let table: String
    package let id: String

    package init(module: String, table: String, id: String) {
      (self.module, self.table, self.id) = (module, table, id)
    }
  }

  package init(purpose: String, requests: [Request]) { (self.purpose, self.requests) = (purpose, requests) }

  // MARK: Limits

  package static let mostBytes = 8 << 20
  package static let mostRequests = 256
  /// More inputs than these are refused one by one as `batch-too-large`, and the caller splits.
  package static let mostInputsOfRequest = 1_000
  package static let mostInputs = 4_000
  /// The call, its list and the request, in which a grant stands as deep as any document may be that it was read from. A
  /// user writes the grant; were the call too deep with it, all the others in it would go without an answer.
  fileprivate static let levelsAroundGrant = 3
}

package enum ResolveCallProblem: Error, Equatable {
  case tooLong
  case notJSON(JSONProblem)
  case tooManyRequests(Int)
  /// A member that is missing, unknown or of the wrong type, by its path; places in lists are not told.
  case member(String)
}

// MARK: JSON, both directions

extension ResolveCall {
  /// Strict: both ends are ours, so a member that one of them does not know is a mistake, and one given twice an attack.
  package init(parsing body: Span<UInt8>) throws(ResolveCallProblem) {
    guard body.count <= Self.mostBytes else { throw .tooLong }
    let json: JSONValue
    do throws(JSONProblem) {
      json = try JSONValue(parsing: body, duplicateKeys: .refused, inside: Self.levelsAroundGrant)
    } catch {
      throw .notJSON(error)
    }
    let call = try Members(json, "call", ["purpose", "requests"])
    purpose = try call.text("purpose")
    // It goes onto every row of the log.
    guard (try? Identifier(checking: purpose)) != nil else { throw .member("call.purpose") }
    let list = try call.list("requests")
    guard list.count <= Self.mostRequests else { throw .tooManyRequests(list.count) }
    var requests: [Request] = []
    for element in list { requests.append(try Request(element)) }
    self.requests = requests
  }

  package var json: JSONValue {
    .object(
      JSONObject(members: [("purpose", .string(purpose)), ("requests", .array(requests.map(\.json)))]))
  }
}

extension ResolveCall.Request {
  fileprivate init(_ json: JSONValue) throws(ResolveCallProblem) {
    let request = try Members(json, "request", ["userId", "missionId", "iterationId", "grant", "inputs"])
    user = try request.text("userId")
    mission = try request.text("missionId")
    iteration = try request.textOrNothing("iterationId")
    grant = request["grant"] ?? .null
    var inputs: [ResolveCall.InputRef] = []
    for element in try request.list("inputs") {
      let input = try Members(element, "input", ["module", "table", "id"])
      inputs.append(
        ResolveCall.InputRef(
          module: try input.text("module"), table: try input.text("table"), id: try input.text("id")))
    }
    self.inputs = inputs
  }

  fileprivate var json: JSONValue {
    .object(
      JSONObject(members: [
        ("userId", .string(user)), ("missionId", .string(mission)),
        ("iterationId", iteration.map(JSONValue.string) ?? .null), ("grant", grant),
        ("inputs", .array(inputs.map(\.json))),
      ]))
  }
}

extension ResolveCall.InputRef {
  fileprivate var json: JSONValue {
    .object(JSONObject(members: [("module", .string(module)), ("table", .string(table)), ("id", .string(id))]))
  }
}

/// An object of which every member is known.
private struct Members {
  private let object: JSONObject
  private let name: String

  init(_ json: JSONValue, _ name: String, _ known: [String]) throws(ResolveCallProblem) {
    guard let object = json.object else { throw .member(name) }
    let isKnown = object.members.allSatisfy { member in known.contains { JSONString($0) == member.key } }
    guard isKnown else { throw .member("\(name).?") }
    (self.object, self.name) = (object, name)
  }

  subscript(member: String) -> JSONValue? { object[member] }

  func text(_ member: String) throws(ResolveCallProblem) -> String {
    guard let text = object[member]?.text else { throw .member("\(name).\(member)") }
    return text
  }

  func textOrNothing(_ member: String) throws(ResolveCallProblem) -> String? {
    guard let value = object[member], !value.isNull else { return nil }
    guard let text = value.text else { throw .member("\(name).\(member)") }
    return text
  }

  func list(_ member: String) throws(ResolveCallProblem) -> [JSONValue] {
    guard let list = object[member]?.array else { throw .member("\(name).\(member)") }
    return list
  }
}
