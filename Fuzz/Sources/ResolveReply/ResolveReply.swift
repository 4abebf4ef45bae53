// The resolver's reply: whatever is accepted answers the call, and written again by the resolver's own writer it is
// read as the same.

import Contracts
import Harness

/// Inputs that share names, one that stands twice, a mission without any, and ids that need escapes.
private let asked = ResolveCall(
  purpose: "p",
  requests: [
    .init(
      user: "u", mission: "m", iteration: nil, grant: .null,
      inputs: [input("a"), input("b"), input("a"), input("\"\n"), input("é", module: "kontext")]),
    .init(user: "u", mission: "n", iteration: nil, grant: .null, inputs: []),
  ])

private func input(_ id: String, module: String = "notes") -> ResolveCall.InputRef {
  ResolveCall.InputRef(module: module, table: "t", id: id)
}

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe withInput(start, count) { body in
    guard let read = accepted(body) else { return }
    let told = Told(read, body)
    demandRoundTrip(told, written: told.written, "what is written again is the same reply") { again in
      accepted(again).map { Told($0, again) }
    }
  }
}

private func accepted(_ body: Span<UInt8>) -> ReceivedReply? {
  do throws(ResolveReplyProblem) {
    let read = try ReceivedReply(parsing: body, to: asked)
    demand(read.results.count == asked.requests.count, "each request has a result")
    return read
  } catch {
    if case .notJSON = error { demand((try? JSONValue(parsing: body)) == nil, "what is called no JSON is none") }
    return nil
  }
}

/// A reply with its texts, to be compared.
private struct Told: Equatable {
  struct Result: Equatable {
    let grant: ReceivedReply.Grant
    let answers: [Answer]
    let receipts: [Int64]
    let hash: [UInt8]
  }

  enum Answer: Equatable {
    case shown([UInt8], [UInt8])
    case refused(AuditReason)
    case unanswered
  }

  let results: [Result]

  init(_ read: ReceivedReply, _ body: Span<UInt8>) {
    var results: [Result] = []
    for (result, request) in zip(read.results, asked.requests) {
      demand(result.inputs.count == request.inputs.count, "each input has an answer")
      var answers: [Answer] = []
      for input in result.inputs {
        switch input {
        case .shown(let title, let content): answers.append(.shown(Self.bytes(title, body), Self.bytes(content, body)))
        case .refused(let reason): answers.append(.refused(reason))
        case .unanswered: answers.append(.unanswered)
        }
      }
      if case .known = result.grant { demand(!answers.contains(.unanswered), "silence is an outage") }
      let receipts = result.receipts.map { [$0.from, $0.to] } ?? []
      results.append(
        Result(grant: result.grant, answers: answers, receipts: receipts, hash: result.receipts?.hash ?? []))
    }
    self.results = results
  }

  private static func bytes(_ text: ReceivedText, _ body: Span<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    text.read(from: body) { piece in bytes += [UInt8](bytes: piece) }
    demand(bytes.count <= text.mostBytes, "a text is no longer than it said")
    demand(UTF8Text.isValid(bytes.span), "a text is valid UTF-8")
    return bytes
  }

  var written: [UInt8] {
    var reply = Kept()
    ResolveReply.begin(&reply)
    for (place, (request, result)) in zip(asked.requests, results).enumerated() {
      let head =
        switch result.grant {
        case .known(let grant): ResolveReply.Head(mission: request.mission, grant: grant)
        case .outage(let outage): ResolveReply.Head(mission: request.mission, grant: nil, outage: outage)
        }
      ResolveReply.beginResult(head, isFirst: place == 0, &reply)
      var refused: [ResolveReply.Refusal] = []
      var isFirst = true
      for (ref, answer) in zip(request.inputs, result.answers) {
        switch answer {
        case .shown(let title, let content):
          if !isFirst { reply.append(UInt8(ascii: ",")) }
          isFirst = false
          ResolveReply.input(ref, title: title.span, content: content.span, &reply)
        case .refused(let reason): refused.append(.init(ref, reason: reason.rawValue))
        case .unanswered: break
        }
      }
      let receipts = result.receipts.count == 2 ? (result.receipts[0], result.receipts[1]) : nil
      ResolveReply.endResult(
        refused: refused, receipts: receipts.map { .init(from: $0.0, to: $0.1, hash: result.hash) }, &reply)
    }
    ResolveReply.end(&reply)
    return reply.bytes
  }
}

private struct Kept: ByteSink {
  private(set) var bytes: [UInt8] = []
  mutating func append(_ byte: UInt8) { bytes.append(byte) }
  mutating func append(_ more: Span<UInt8>) { bytes += [UInt8](bytes: more) }
}
