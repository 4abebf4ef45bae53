// The resolve call is read strictly and within its limits; its reply stands in one form.

import Contracts
import Testing

private struct Kept: ByteSink {
  private(set) var bytes: [UInt8] = []
  mutating func append(_ byte: UInt8) { bytes.append(byte) }
  mutating func append(_ more: Span<UInt8>) { for index in more.indices { bytes.append(more[index]) } }
}

@Suite("The resolve call and its reply")
struct ResolveCallTests {
  private func problem(_ text: String) throws -> ResolveCallProblem? {
    let body = Array(text.utf8)
    do throws(ResolveCallProblem) {
      _ = try ResolveCall(parsing: body.span)
      return nil
    } catch { return error }
  }

  private static let request = #"{"userId":"u","missionId":"m","iterationId":"i","grant":null,"inputs":[]}"#

  private func call(_ request: String) -> String { #"{"purpose":"p","requests":[\#(request)]}"# }

  @Test("What is written is read again, whatever the grant holds")
  func roundTrip() throws {
    let grant = try JSONValue(parsing: #"{"b":[1.50,null],"a":{"":true}}"#)
    let input = ResolveCall.InputRef(module: "notes", table: "notes", id: "é\n")
    let call = ResolveCall(
      purpose: "mission-tick",
      requests: [
        .init(user: "u", mission: "m", iteration: nil, grant: grant, inputs: [input]),
        .init(user: "u", mission: "n", iteration: "i", grant: .string("x"), inputs: []),
      ])
    let body = call.json.compactBytes()
    let again = try ResolveCall(parsing: body.span)
    #expect(again.json == call.json && again.requests[0].grant == grant && again.requests[0].iteration == nil)
  }

  @Test("A member that is missing, unknown, given twice or of another type is refused and named")
  func members() throws {
    let whole = call(Self.request)
    #expect(try problem(whole) == nil)
    #expect(try problem(whole.replacing(#""iterationId":"i","grant":null,"#, with: "")) == nil)
    let cases: [(old: String, new: String, member: String)] = [
      (#""userId":"u""#, #""userId":1"#, "request.userId"), (#""userId":"u","#, "", "request.userId"),
      (#""missionId":"m""#, #""missionId":null"#, "request.missionId"),
      (#""iterationId":"i""#, #""iterationId":7"#, "request.iterationId"),
      (#""inputs":[]"#, #""inputs":{}"#, "request.inputs"), (#""inputs":[]"#, #""inputs":[1]"#, "input"),
      (#""inputs":[]"#, #""inputs":[{"module":"a","table":"b"}]"#, "input.id"),
      (#""inputs":[]"#, #""inputs":[{"module":"a","table":"b","id":"c","app":"d"}]"#, "input.?"),
      (#""inputs":[]"#, #""inputs":[],"user":"x""#, "request.?"), (#""purpose":"p""#, #""purpose":"""#, "call.purpose"),
      (#""purpose":"p""#, #""purpose":"a\u0000""#, "call.purpose"), (#""purpose":"p","#, "", "call.purpose"),
      (#""purpose":"p","#, #""purpose":"p","x":1,"#, "call.?"),
    ]
    for (old, new, member) in cases {
      #expect(whole.contains(old))
      #expect(try problem(whole.replacing(old, with: new)) == .member(member), "\(new)")
    }
    #expect(try problem("[]") == .member("call"))
    #expect(
      try problem(whole.replacing(#""userId":"u""#, with: #""userId":"u","userId":"v""#)) == .notJSON(.duplicateKey))
    #expect(try problem(call(#"{"grant":{"a":1,"\u0061":2}}"#)) == .notJSON(.duplicateKey))
    #expect(try problem("{") == .notJSON(.syntax(offset: 1)))
  }

  @Test("As many requests as may be are read, one more is none")
  func limits() throws {
    func requests(_ count: Int) -> String { Array(repeating: Self.request, count: count).joined(separator: ",") }
    #expect(try problem(call(requests(256))) == nil)
    #expect(try problem(call(requests(257))) == .tooManyRequests(257))
    let long = call(Self.request) + String(repeating: " ", count: ResolveCall.mostBytes)
    #expect(try problem(long) == .tooLong)
  }

  @Test("The reply is JSON in one form, and text in it is escaped as JavaScript would")
  func reply() throws {
    var kept = Kept()
    let input = ResolveCall.InputRef(module: "notes", table: "notes", id: "n\"1")
    let (title, content) = (Array("a\\\u{1}é".utf8), Array("\n/😀\u{2028}".utf8))
    ResolveReply.begin(&kept)
    ResolveReply.beginResult(.init(mission: "m", grant: .ok), isFirst: true, &kept)
    ResolveReply.input(input, title: title.span, content: content.span, &kept)
    ResolveReply.endResult(
      refused: [.init(input, reason: "record-missing")],
      receipts: .init(from: 1, to: 3, hash: [0, 255]), &kept)
    ResolveReply.beginResult(.init(mission: "n", grant: nil, outage: .unavailable), isFirst: false, &kept)
    ResolveReply.endResult(refused: [], receipts: nil, &kept)
    ResolveReply.end(&kept)
    let text = String(decoding: kept.bytes, as: UTF8.self)
    let shown = #"{"id":"n\"1","module":"notes","table":"notes","title":"a\\\u0001é","content":"\n/😀"# + "\u{2028}\"}"
    #expect(
      text == #"{"results":[{"missionId":"m","grant":"ok","inputs":["# + shown
        + #"],"refused":[{"module":"notes","table":"notes","id":"n\"1","reason":"record-missing"}],"#
        + #""receipts":{"from":1,"to":3,"hash":"00ff"}},"#
        + #"{"missionId":"n","grant":null,"outage":"unavailable","inputs":[],"refused":[]}]}"#)
    #expect(try JSONValue(parsing: text).compactText() == text)
  }
}
