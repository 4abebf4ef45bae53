// The resolver's reply as its caller reads it: strictly, and against the call that it answers. Titles and contents are
// plaintext of users, so they never become a String: what is kept of them is their place in the reply, and whoever
// owns the reply, in memory that will be wiped, copies them from there into other such memory.

package struct ReceivedReply: Sendable {
  /// One for each request of the call, in its order.
  package let results: [Result]

  package struct Result: Sendable {
    package let grant: Grant
    /// One for each input of the request, in its order.
    package let inputs: [Input]
    package let receipts: ResolveReply.Receipts?
  }

  package enum Grant: Sendable, Equatable {
    case known(GrantOutcome)
    /// Nothing is known of the grant, and inputs may have no answer; the caller may ask again.
    case outage(ResolveOutage)
  }

  package enum Input: Sendable {
    case shown(title: ReceivedText, content: ReceivedText)
    case refused(AuditReason)
    case unanswered
  }
}

/// Where in the reply a text stands.
package struct ReceivedText: Sendable {
  let place: Range<Int>

  /// More bytes than these it never has: an escape is longer than what it stands for.
  package var mostBytes: Int { place.count }

  /// Lends the text from the reply that it was read in, piece by piece and with its escapes resolved.
  package func read(from reply: Span<UInt8>, _ piece: (Span<UInt8>) -> Void) {
    precondition(place.upperBound <= reply.count, "a text is read from its own reply")
    var offset = place.lowerBound
    while offset < place.upperBound {
      // A text ends with a quote, which ends a run too.
      let end = ByteRuns.plainUTF8(reply, from: offset)
      if end > offset { piece(reply.extracting(offset..<end)) }
      offset = end
      guard offset < place.upperBound else { return }
      let escape = JSONTape.scalar(reply, at: offset)
      // On the stack: an array would be a copy on the heap that nobody wipes.
      var bytes = InlineArray<4, UInt8>(repeating: 0)
      var count = 0
      for byte in UTF8.encode(escape.scalar) ?? UTF8.encodedReplacementCharacter {
        bytes[count] = byte
        count += 1
      }
      piece(bytes.span.extracting(0..<count))
      offset += escape.length
    }
  }
}

package enum ResolveReplyProblem: Error, Equatable {
  /// More bytes than a reply may have, or more values than the call has answers.
  case tooLong
  case notJSON(JSONProblem)
  /// A member that is missing, unknown, given twice, or of another type or spelling, by its path; places in lists are
  /// not told, and neither is what stood there.
  case member(String)
  /// The results are not those of the call's requests, in their order.
  case otherResults
  /// An input that was not asked for, has two answers, or has none without an outage.
  case otherInputs
}

// MARK: Reading

extension ReceivedReply {
  package init(parsing body: Span<UInt8>, to call: ResolveCall) throws(ResolveReplyProblem) {
    guard body.count <= ResolveReply.mostBytes else { throw .tooLong }
    let tape: JSONTape
    do throws(JSONProblem) { tape = try JSONTape(scanning: body, mostNodes: Self.mostNodes(call)) } catch {
      throw error == .tooLong ? .tooLong : .notJSON(error)
    }
    let reader = ReplyReader(tape: tape)
    let reply = try reader.members(of: 0, "reply", ["results"], in: body)
    let found = try reader.list(reply[0], "reply.results")
    guard found.count == call.requests.count else { throw .otherResults }
    var results: [Result] = []
    for (index, request) in zip(found, call.requests) {
      results.append(try reader.result(index, of: request, in: body))
    }
    self.results = results
  }

  /// What the longest reply to this call consists of: objects, lists, keys and values.
  private static func mostNodes(_ call: ResolveCall) -> Int {
    let (frame, ofResult, ofInput) = (3, 19, 11)
    return call.requests.reduce(frame) { $0 + ofResult + ofInput * $1.inputs.count }
  }
}

private struct ReplyReader {
  let tape: JSONTape

  func result(
    _ index: Int, of request: ResolveCall.Request, in body: Span<UInt8>
  ) throws(ResolveReplyProblem) -> ReceivedReply.Result {
    let known = ["missionId", "grant", "inputs", "refused", "outage", "receipts"]
    let members = try members(of: index, "result", known, in: body)
    guard let mission = members[0], tape.isText(mission, request.mission, in: body) else { throw .otherResults }
    let grant = try grant(members[1], outage: members[4], in: body)
    var answers = InputAnswers(to: request.inputs)
    for shown in try list(members[2], "result.inputs") {
      let input = try self.members(of: shown, "input", ["module", "table", "id", "title", "content"], in: body)
      let (title, content) = (try text(input[3], "input.title"), try text(input[4], "input.content"))
      try answers.add(.shown(title: title, content: content), to: Array(input.prefix(3)), tape, in: body)
    }
    for refused in try list(members[3], "result.refused") {
      let input = try self.members(of: refused, "refused", ["module", "table", "id", "reason"], in: body)
      let reason = input[3].flatMap { place in AuditReason.allCases.first { tape.isText(place, $0.rawValue, in: body) }
      }
      guard let reason else { throw .member("refused.reason") }
      try answers.add(.refused(reason), to: Array(input.prefix(3)), tape, in: body)
    }
    if case .known = grant, !answers.areWhole { throw .otherInputs }
    return ReceivedReply.Result(
      grant: grant, inputs: answers.inputs,
      receipts: try members[5].map { index throws(ResolveReplyProblem) in
        try receipts(index, in: body)
      })
  }

  /// A grant whose outcome is known, or an outage; never both, never neither.
  private func grant(
    _ index: Int?, outage: Int?, in body: Span<UInt8>
  ) throws(ResolveReplyProblem) -> ReceivedReply.Grant {
    guard let index else { throw .member("result.grant") }
    guard let outage else {
      let outcome = GrantOutcome.allCases.first { tape.isText(index, $0.rawValue, in: body) }
      guard let outcome else { throw .member("result.grant") }
      return .known(outcome)
    }
    guard tape.nodes[index].kind == .null else { throw .member("result.grant") }
    let found = ResolveOutage.allCases.first { tape.isText(outage, $0.rawValue, in: body) }
    guard let found else { throw .member("result.outage") }
    return .outage(found)
  }

  private func receipts(
    _ index: Int, in body: Span<UInt8>
  ) throws(ResolveReplyProblem) -> ResolveReply.Receipts {
    let members = try members(of: index, "receipts", ["from", "to", "hash"], in: body)
    guard let from = number(members[0], in: body) else { throw .member("receipts.from") }
    guard let to = number(members[1], in: body), from <= to else { throw .member("receipts.to") }
    let digits = 64
    guard let place = members[2], tape.nodes[place].kind == .string,
      tape.nodes[place].end - tape.nodes[place].start == digits
    else { throw .member("receipts.hash") }
    let text = tape.string(place, in: body)
    guard Hex.isLowercase(text, count: digits), let hash = Hex.decode(text) else { throw .member("receipts.hash") }
    return ResolveReply.Receipts(from: from, to: to, hash: hash)
  }

  // MARK: Shapes

  /// Where the values of these members stand, nil for one that is missing. Whatever else is there is refused.
  func members(
    of index: Int, _ name: String, _ known: [String], in body: Span<UInt8>
  ) throws(ResolveReplyProblem) -> [Int?] {
    guard tape.nodes[index].kind == .object else { throw .member(name) }
    var found = [Int?](repeating: nil, count: known.count)
    for key in tape.children(of: index) {
      guard let place = known.firstIndex(where: { tape.isText(key, $0, in: body) }) else { throw .member("\(name).?") }
      guard found[place] == nil else { throw .member("\(name).\(known[place])") }
      found[place] = key + 1
    }
    return found
  }

  func list(_ index: Int?, _ name: String) throws(ResolveReplyProblem) -> [Int] {
    guard let index, tape.nodes[index].kind == .array else { throw .member(name) }
    return tape.children(of: index)
  }

  private func text(_ index: Int?, _ name: String) throws(ResolveReplyProblem) -> ReceivedText {
    guard let index, tape.nodes[index].kind == .string else { throw .member(name) }
    return ReceivedText(place: Int(tape.nodes[index].start)..<Int(tape.nodes[index].end))
  }

  /// A row's number in the log, from 1 on, in its one spelling.
  private func number(_ index: Int?, in body: Span<UInt8>) -> Int64? {
    guard let index, tape.nodes[index].kind == .number else { return nil }
    var value: Int64 = 0
    for offset in Int(tape.nodes[index].start)..<Int(tape.nodes[index].end) {
      guard (0x30...0x39).contains(body[offset]) else { return nil }
      let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, isTooLargeNow) = tens.addingReportingOverflow(Int64(body[offset] - 0x30))
      guard !isTooLarge, !isTooLargeNow else { return nil }
      value = sum
    }
    return value > 0 ? value : nil
  }
}

/// Gives each answer to the input that it names. Inputs are found by a hash of their names and then compared where
/// they stand; of equal inputs, which nobody needs but a call may hold, the first one without an answer takes it.
private struct InputAnswers {
  private let refs: [ResolveCall.InputRef]
  private var answers: [ReceivedReply.Input?]
  private var places: [Int: [Int]] = [:]

  init(to refs: [ResolveCall.InputRef]) {
    self.refs = refs
    answers = [ReceivedReply.Input?](repeating: nil, count: refs.count)
    // Backwards, so that the first of equal ones is the last of its list.
    for (place, ref) in refs.enumerated().reversed() {
      var hasher = Hasher()
      for name in [ref.module, ref.table, ref.id] {
        for byte in name.utf8 { hasher.combine(byte) }
        hasher.combine(name.utf8.count)
      }
      places[hasher.finalize(), default: []].append(place)
    }
  }

  var areWhole: Bool { answers.allSatisfy { $0 != nil } }
  var inputs: [ReceivedReply.Input] { answers.map { $0 ?? .unanswered } }

  mutating func add(
    _ answer: ReceivedReply.Input, to names: [Int?], _ tape: JSONTape, in body: Span<UInt8>
  ) throws(ResolveReplyProblem) {
    var hasher = Hasher()
    for name in names {
      guard let name, tape.nodes[name].kind == .string else { throw .otherInputs }
      var count = 0
      tape.emitString(name, in: body) { byte in
        hasher.combine(byte)
        count += 1
      }
      hasher.combine(count)
    }
    let hash = hasher.finalize()
    let found = places[hash]?.lastIndex { place in
      zip(names, [refs[place].module, refs[place].table, refs[place].id]).allSatisfy { index, name in
        index.map { tape.isText($0, name, in: body) } ?? false
      }
    }
    guard let found, let place = places[hash]?.remove(at: found) else { throw .otherInputs }
    answers[place] = answer
  }
}
