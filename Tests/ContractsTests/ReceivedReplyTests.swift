// The resolver's reply is read strictly, against the call that it answers, and without keeping a word of it.

import Contracts
import Testing

/// A reply that a test spells out, written as the resolver writes it.
private struct Told {
  enum Answer {
    case shown(title: String, content: String)
    case refused(AuditReason)
    case none
  }

  var grant: GrantOutcome? = .ok
  var outage: ResolveOutage?
  var receipts: ResolveReply.Receipts?
  var answers: [Answer]
}

private struct Kept: ByteSink {
  private(set) var bytes: [UInt8] = []
  mutating func append(_ byte: UInt8) { bytes.append(byte) }
  mutating func append(_ more: Span<UInt8>) { for index in more.indices { bytes.append(more[index]) } }
}

private func ref(_ id: String, module: String = "notes") -> ResolveCall.InputRef {
  ResolveCall.InputRef(module: module, table: "notes", id: id)
}

private func call(_ missions: (String, [ResolveCall.InputRef])...) -> ResolveCall {
  ResolveCall(
    purpose: "mission-tick",
    requests: missions.map { .init(user: "u", mission: $0.0, iteration: nil, grant: .null, inputs: $0.1) })
}

private func written(_ call: ResolveCall, _ told: [Told]) -> [UInt8] {
  var reply = Kept()
  ResolveReply.begin(&reply)
  for (place, (request, result)) in zip(call.requests, told).enumerated() {
    ResolveReply.beginResult(
      .init(mission: request.mission, grant: result.grant, outage: result.outage), isFirst: place == 0, &reply)
    var refused: [ResolveReply.Refusal] = []
    var isFirst = true
    for (ref, answer) in zip(request.inputs, result.answers) {
      switch answer {
      case .shown(let title, let content):
        if !isFirst { reply.append(UInt8(ascii: ",")) }
        isFirst = false
        let (title, content) = (Array(title.utf8), Array(content.utf8))
        ResolveReply.input(ref, title: title.span, content: content.span, &reply)
      case .refused(let reason): refused.append(.init(ref, reason: reason.rawValue))
      case .none: break
      }
    }
    ResolveReply.endResult(refused: refused, receipts: result.receipts, &reply)
  }
  ResolveReply.end(&reply)
  return reply.bytes
}

private func text(_ text: ReceivedText, in reply: [UInt8]) -> [UInt8] {
  var bytes: [UInt8] = []
  text.read(from: reply.span) { piece in for index in piece.indices { bytes.append(piece[index]) } }
  #expect(bytes.count <= text.mostBytes)
  return bytes
}

@Suite("The reply as its caller reads it")
struct ReceivedReplyTests {
  private func problem(_ reply: String, _ call: ResolveCall) -> ResolveReplyProblem? {
    problem(Array(reply.utf8), call)
  }

  private func problem(_ reply: [UInt8], _ call: ResolveCall) -> ResolveReplyProblem? {
    do throws(ResolveReplyProblem) {
      _ = try ReceivedReply(parsing: reply.span, to: call)
      return nil
    } catch { return error }
  }

  private func expect(_ call: ResolveCall, _ told: [Told], sourceLocation: SourceLocation = #_sourceLocation) throws {
    let reply = written(call, told)
    let read = try ReceivedReply(parsing: reply.span, to: call)
    #expect(read.results.count == told.count, sourceLocation: sourceLocation)
    for (result, told) in zip(read.results, told) {
      let grant = told.outage.map(ReceivedReply.Grant.outage) ?? told.grant.map(ReceivedReply.Grant.known)
      #expect(result.grant == grant, sourceLocation: sourceLocation)
      #expect(result.receipts?.from == told.receipts?.from && result.receipts?.to == told.receipts?.to)
      #expect(result.receipts?.hash == told.receipts?.hash, sourceLocation: sourceLocation)
      #expect(result.inputs.count == told.answers.count, sourceLocation: sourceLocation)
      for (input, answer) in zip(result.inputs, told.answers) {
        let isSame =
          switch (input, answer) {
          case (.shown(let title, let content), .shown(let wantedTitle, let wantedContent)):
            text(title, in: reply) == Array(wantedTitle.utf8) && text(content, in: reply) == Array(wantedContent.utf8)
          case (.refused(let reason), .refused(let wanted)): reason == wanted
          case (.unanswered, .none): true
          default: false
          }
        #expect(isSame, "\(answer)", sourceLocation: sourceLocation)
      }
    }
  }

  @Test("What the resolver writes is read again: grants, inputs in the order of the call, refusals, receipts, outages")
  func roundTrip() throws {
    let receipts = ResolveReply.Receipts(from: 1, to: .max, hash: Array(0..<32))
    try expect(
      call(("m\"\n", [ref("a"), ref("b"), ref("é"), ref("c", module: "kontext")]), ("n", []), ("o", [ref("a")])),
      [
        Told(
          receipts: receipts,
          answers: [
            .refused(.recordMissing), .shown(title: "", content: "a\\\u{0}\u{1F}\"/é😀\u{2028}\u{7F}"),
            .refused(.batchTooLarge), .shown(title: "Mana-Kontext", content: ""),
          ]),
        Told(grant: GrantOutcome.none, answers: []),
        Told(grant: nil, outage: .unavailable, answers: [.none]),
      ])
    try expect(call(), [])
    for grant in GrantOutcome.allCases { try expect(call(("m", [])), [Told(grant: grant, answers: [])]) }
    for reason in AuditReason.allCases { try expect(call(("m", [ref("a")])), [Told(answers: [.refused(reason)])]) }
    for outage in ResolveOutage.allCases {
      let told = Told(
        grant: nil, outage: outage, receipts: receipts, answers: [.none, .refused(.recordMissing), .none])
      try expect(call(("m", [ref("a"), ref("b"), ref("c")])), [told])
    }
  }

  @Test("Random replies are read as they were written")
  func random() throws {
    let characters = Array("aé€😀\"\\\n\u{0}\u{1F} \u{7F}/{}[],:".unicodeScalars)
    var generator = SystemRandomNumberGenerator()
    func words() -> String {
      var words = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...90, using: &generator) {
        words.append(characters.randomElement(using: &generator) ?? "x")
      }
      return String(words)
    }
    for _ in 0..<60 {
      // Few ids, so that some stand twice. Equal inputs have equal answers.
      let refs = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
        ref(["a", "b", "\u{E9}", "e\u{301}", "a\"b"].randomElement(using: &generator) ?? "a")
      }
      var known: [JSONString: Told.Answer] = [:]
      let answers = refs.map { ref -> Told.Answer in
        let isShown = Bool.random(using: &generator)
        let answer =
          known[JSONString(ref.id)]
          ?? (isShown ? .shown(title: words(), content: words()) : .refused(.recordMissing))
        known[JSONString(ref.id)] = answer
        return answer
      }
      try expect(
        call(("m", refs), ("n", refs.reversed())), [Told(answers: answers), Told(answers: answers.reversed())])
    }
  }

  @Test("Escapes of any spelling are read as what they stand for, and lent in pieces that are no copy")
  func escapes() throws {
    let reply =
      #"{"results":[{"missionId":"\u006d","grant":"\u006fk","refused":[],"inputs":[{"content":"\u00e9\ud83d\ude00\/"#
      + #"plain\b\u0000","title":"","id":"\u0061","table":"notes","module":"notes"}]}]}"#
    let bytes = Array(reply.utf8)
    let read = try ReceivedReply(parsing: bytes.span, to: call(("m", [ref("a")])))
    guard case .shown(let title, let content) = read.results[0].inputs[0] else { throw Unexpected() }
    #expect(text(content, in: bytes) == Array("é😀/plain\u{8}\u{0}".utf8) && text(title, in: bytes) == [])
  }

  @Test("Nothing that was read holds a word of what is shown")
  func holdsNoText() throws {
    let call = call(("m", [ref("a"), ref("b")]))
    let reply = written(
      call, [Told(answers: [.shown(title: "geheim", content: "vertraulich"), .refused(.notGranted)])])
    let read = try ReceivedReply(parsing: reply.span, to: call)
    var said = ""
    dump(read, to: &said)
    #expect(said.contains("notGranted") && !said.contains("geheim") && !said.contains("vertraulich"))
    for hostile in ["\"geheim\":1,", "\"\\u0067eheim\":1,"] {
      let told = String(decoding: reply, as: UTF8.self).replacing("\"missionId\"", with: hostile + "\"missionId\"")
      let found = try #require(problem(told, call))
      #expect(!"\(found)".contains("geheim"))
    }
  }

  private struct Unexpected: Error {}

  // MARK: What is refused

  private static let shown = #"{"id":"a","module":"notes","table":"notes","title":"T","content":"C"}"#
  private static let refusal = #"{"module":"notes","table":"notes","id":"b","reason":"record-missing"}"#
  private static let receipts = #"{"from":1,"to":2,"hash":"\#(String(repeating: "0f", count: 32))"}"#
  private static let whole =
    #"{"results":[{"missionId":"m","grant":"ok","inputs":[\#(shown)],"refused":[\#(refusal)],"receipts":\#(receipts)}]}"#
  private let asked = call(("m", [ref("a"), ref("b")]))

  @Test("A member that is missing, unknown, given twice or of another type or spelling is refused and named")
  func members() throws {
    #expect(problem(Self.whole, asked) == nil)
    let cases: [(old: String, new: String, member: String)] = [
      (#"{"results":"#, #"{"result":"#, "reply.?"), (#"{"results":"#, #"{"results":[],"results":"#, "reply.results"),
      (#""grant":"ok""#, #""grant":"OK""#, "result.grant"), (#""grant":"ok""#, #""grant":null"#, "result.grant"),
      (#""grant":"ok","#, "", "result.grant"), (#""grant":"ok""#, #""grant":7"#, "result.grant"),
      (#""grant":"ok""#, #""grant":"ok","outage":"internal""#, "result.grant"),
      (#""grant":"ok""#, #""grant":null,"outage":"later""#, "result.outage"),
      (#""grant":"ok""#, #""grant":null,"outage":null"#, "result.outage"),
      (#""grant":"ok""#, #""grant":"ok","\u0067rant":"ok""#, "result.grant"),
      (#""grant":"ok""#, #""grant":"ok","more":1"#, "result.?"),
      (#""inputs":[\#(Self.shown)]"#, #""inputs":{}"#, "result.inputs"),
      (#""inputs":[\#(Self.shown)],"#, "", "result.inputs"), (#""inputs":["#, #""inputs":[null,"#, "input"),
      (#","refused":[\#(Self.refusal)]"#, "", "result.refused"), (#""refused":["#, #""refused":[[],"#, "refused"),
      (#""title":"T""#, #""title":null"#, "input.title"), (#""title":"T","#, "", "input.title"),
      (#""content":"C""#, #""content":["C"]"#, "input.content"),
      (#""content":"C""#, #""content":"C","content":"C""#, "input.content"),
      (#""content":"C""#, #""content":"C","app":"notes""#, "input.?"),
      (#""reason":"record-missing""#, #""reason":"because""#, "refused.reason"),
      (#","reason":"record-missing""#, "", "refused.reason"),
      (#""from":1"#, #""from":0"#, "receipts.from"), (#""from":1"#, #""from":1.0"#, "receipts.from"),
      (#""from":1"#, #""from":-1"#, "receipts.from"), (#""from":1"#, #""from":"1""#, "receipts.from"),
      (#""from":1"#, #""from":3"#, "receipts.to"), (#""to":2"#, #""to":9223372036854775808"#, "receipts.to"),
      (#""to":2"#, #""to":2e0"#, "receipts.to"), (#""0f0f"#, #""0F0f"#, "receipts.hash"),
      (#""0f0f"#, #""0f"#, "receipts.hash"), (#""0f0f"#, #""\u0030f0f"#, "receipts.hash"),
      (#""receipts":\#(Self.receipts)"#, #""receipts":null"#, "receipts"),
    ]
    for (old, new, member) in cases {
      #expect(Self.whole.contains(old))
      #expect(problem(Self.whole.replacing(old, with: new, maxReplacements: 1), asked) == .member(member), "\(new)")
    }
    #expect(problem("[]", asked) == .member("reply") && problem("{}", asked) == .member("reply.results"))
  }

  @Test("Results that are others than the call's, or stand in another order, are refused")
  func results() {
    let two = call(("m", []), ("n", []))
    func result(_ mission: String) -> String { #"{"missionId":\#(mission),"grant":"ok","inputs":[],"refused":[]}"# }
    func reply(_ missions: String...) -> String {
      #"{"results":[\#(missions.map(result).joined(separator: ","))]}"#
    }
    #expect(problem(reply(#""m""#, #""n""#), two) == nil)
    for other in [
      reply(#""n""#, #""m""#), reply(#""m""#), reply(#""m""#, #""m""#), reply(#""m""#, #""o""#), reply(),
      reply(#""m""#, "null"), reply(#""m""#, #""n ""#), reply(#""m""#, "\"\""),
    ] { #expect(problem(other, two) == .otherResults, "\(other)") }
    #expect(problem(reply(#""m""#, #""n""#, #""o""#), two) == .otherResults)
    let decomposed = call(("e\u{301}", []))
    #expect(problem(reply("\"\u{E9}\""), decomposed) == .otherResults)
    #expect(problem(reply("\"e\u{301}\""), decomposed) == nil)
  }

  @Test("Each input has one answer; without an outage none may be missing")
  func inputs() {
    let swapped = Self.whole.replacing(#""id":"a""#, with: #""id":"b""#)
    for (old, new) in [
      (#""id":"a""#, #""id":"c""#), (#""id":"a""#, #""id":"b""#), (#""id":"b""#, #""id":"a""#),
      (#""id":"a""#, #""id":1"#),
      (#""id":"a","#, ""), (#""module":"notes""#, #""module":"Notes""#), (#""table":"notes""#, #""table":"notes ""#),
      (Self.shown, ""), (Self.refusal, ""),
      (
        Self.shown, Self.shown.replacing("\"id\":\"a\",\"module\":\"notes\"", with: "\"id\":\"notesa\",\"module\":\"\"")
      ),
    ] {
      #expect(Self.whole.contains(old))
      let told = Self.whole.replacing(old, with: new, maxReplacements: 1)
      #expect(problem(told, asked) == .otherInputs, "\(new)")
    }
    #expect(problem(swapped.replacing(Self.refusal, with: Self.refusal.replacing("b", with: "a")), asked) != nil)
    let refusedTwice = Self.whole.replacing(Self.refusal, with: Self.refusal + "," + Self.refusal)
    #expect(
      problem(refusedTwice, asked) == .tooLong
        && problem(refusedTwice.replacing(Self.shown, with: ""), asked) == .otherInputs)
    // Equal inputs are answered as often as they were asked for, and not once more.
    let twice = call(("m", [ref("a"), ref("a")]))
    let once = #"{"results":[{"missionId":"m","grant":"ok","inputs":[\#(Self.shown)],"refused":[]}]}"#
    #expect(problem(once, twice) == .otherInputs)
    #expect(problem(once.replacing(Self.shown, with: Self.shown + "," + Self.shown), twice) == nil)
    let outage = once.replacing(#""grant":"ok""#, with: #""grant":null,"outage":"internal""#)
    #expect(problem(outage, twice) == nil)
  }

  @Test("A reply that is cut short anywhere is refused")
  func truncated() {
    let bytes = Array(Self.whole.utf8)
    for count in bytes.indices { #expect(problem(Array(bytes[..<count]), asked) != nil, "\(count) bytes") }
    #expect(problem(bytes + Array(" \n".utf8), asked) == nil && problem(bytes + [0x7D], asked) != nil)
  }

  @Test("What is no UTF-8, no JSON, too deep or too large is refused as that")
  func hostile() {
    var bytes = Array(Self.whole.utf8)
    bytes[bytes.count / 2] = 0xFF
    #expect(problem(bytes, asked) == .notJSON(.invalidUTF8))
    let half = Self.whole.replacing(#""title":"T""#, with: #""title":"\ud83d""#)
    if case .notJSON(.loneSurrogate) = problem(half, asked) {} else { Issue.record("half a pair was read") }
    let deep = #"{"results":"# + String(repeating: "[", count: 1 << 20)
    #expect(problem(deep, asked) == .tooLong)
    let largest = call(("m", (0..<1_000).map { ref("\($0)") }))
    #expect(problem(deep, largest) == .notJSON(.tooDeep))
    let many = #"{"results":["# + String(repeating: "0,", count: 1 << 20) + "0]}"
    #expect(problem(many, largest) == .tooLong)
    let refusals = Array(repeating: Self.refusal, count: 100).joined(separator: ",")
    #expect(problem(Self.whole.replacing(Self.refusal, with: refusals), asked) == .tooLong)
    #expect(problem(Self.whole + String(repeating: " ", count: ResolveReply.mostBytes), asked) == .tooLong)
  }

  @Test("The longest reply to a call has just as many values as are read")
  func mostValues() {
    let inputs = (0..<50).map { ref("\($0)") }
    let told = Told(
      grant: nil, outage: .internal, receipts: .init(from: 1, to: 2, hash: [UInt8](repeating: 0, count: 32)),
      answers: inputs.map { _ in .shown(title: "t", content: "c") })
    let call = call(("m", inputs), ("n", inputs))
    let reply = written(call, [told, told])
    #expect(problem(reply, call) == nil)
    let more = String(decoding: reply, as: UTF8.self).replacing(#""from":1"#, with: #""from":[1,2]"#)
    #expect(problem(more, call) == .tooLong)
  }
}
