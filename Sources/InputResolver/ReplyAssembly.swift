// The answer, put together in the order of the call: what is shown, what is refused, and the end of each user's chain.
// The reply has a limit; what does not fit is refused, withdrawn on the log, and the caller asks again for less.

import Contracts
import Secrets
import Store

struct ReplyAssembly: ~Copyable {
  private enum Input {
    case shown(Shown, Shown.Piece)
    case refused(AuditReason)
    /// An outage left it without an answer.
    case unanswered
  }

  private struct Result {
    var grant: GrantOutcome?
    var outage: ResolveOutage?
    var rows: ClosedRange<Int64>?
    var head: ChainHead?
    var inputs: [Input]
  }

  private let call: ResolveCall
  private var results: [Result]
  private(set) var failures: [ReceiptFailure] = []
  /// Which request a failed receipt belongs to.
  private var owners: [ReceiptID: Int] = [:]

  init(_ call: ResolveCall, _ plan: BatchPlan, _ shown: [Shown], mostBytes: Int) {
    self.call = call
    results = zip(call.requests, plan.standings).map { request, standing in
      var result = Result(
        grant: standing.grant, inputs: [Input](repeating: .unanswered, count: request.inputs.count))
      for refusal in standing.unlogged { result.inputs[refusal.input] = .refused(refusal.reason) }
      return result
    }
    for part in shown { add(part, of: plan.openings[part.facts.opening]) }
    limit(to: mostBytes)
  }

  private mutating func add(_ part: Shown, of planned: PlannedOpening) {
    let (facts, request) = (part.facts, planned.request)
    if planned.opening.authority != .none { results[request].grant = results[request].grant ?? facts.grant }
    results[request].outage = results[request].outage ?? facts.outage
    if let rows = facts.rows {
      let known = results[request].rows ?? rows
      results[request].rows =
        min(known.lowerBound, rows.lowerBound)...max(known.upperBound, rows.upperBound)
    }
    note(facts.head, of: request)
    for piece in facts.pieces { results[request].inputs[piece.place.input] = .shown(part, piece) }
    for refused in facts.refused { results[request].inputs[refused.place.input] = .refused(refused.reason) }
    for failure in facts.failures { owners[failure.receipt] = request }
    failures += facts.failures
  }

  private mutating func note(_ head: ChainHead?, of request: Int) {
    guard let head, head.seq > results[request].head?.seq ?? 0 else { return }
    results[request].head = head
  }

  /// The ends of chains after the failures were appended.
  mutating func noteAppended(_ appended: [AppendedFailure]) {
    for failure in appended {
      guard let request = owners[failure.receipt] else { continue }
      note(failure.head, of: request)
    }
  }

  // MARK: The limit

  private mutating func limit(to mostBytes: Int) {
    var room = mostBytes - bytesWithoutText
    for request in results.indices {
      for input in results[request].inputs.indices {
        guard case .shown(_, let piece) = results[request].inputs[input] else { continue }
        let needed = piece.range.count + 1
        if needed <= room {
          room -= needed
        } else {
          results[request].inputs[input] = .refused(.batchTooLarge)
          failures.append(ReceiptFailure(piece.receipt, .batchTooLarge))
          owners[piece.receipt] = request
        }
      }
    }
  }

  /// At most so many bytes are needed for all else, every input refused in the longest words.
  private var bytesWithoutText: Int {
    var count = ByteCount()
    for request in call.requests {
      ResolveReply.beginResult(
        ResolveReply.Head(mission: request.mission, grant: .notConfigured, outage: .unavailable), isFirst: false, &count
      )
      ResolveReply.endResult(
        refused: request.inputs.map { ResolveReply.Refusal($0, reason: AuditReason.ciphertextTampered.rawValue) },
        receipts: ResolveReply.Receipts(from: .max, to: .max, hash: [UInt8](repeating: 0, count: 32)), &count)
    }
    return count.bytes + 16
  }

  // MARK: Reading

  /// Each request's grant and its inputs' reasons, nil for what is shown; for the metrics.
  func eachOutcome(
    _ body: (GrantOutcome?, ResolveOutage?, [(input: ResolveCall.InputRef, reason: AuditReason?)]) -> Void
  ) {
    for (request, result) in zip(call.requests, results) {
      var inputs: [(input: ResolveCall.InputRef, reason: AuditReason?)] = []
      for (ref, input) in zip(request.inputs, result.inputs) {
        switch input {
        case .shown: inputs.append((ref, nil))
        case .refused(let reason): inputs.append((ref, reason))
        case .unanswered: break
        }
      }
      body(result.grant, result.outage, inputs)
    }
  }

  consuming func reply() -> WipedBytes {
    var reply = WipedBytes(capacity: textBytes + bytesWithoutText)
    ResolveReply.begin(&reply)
    for (place, result) in results.enumerated() {
      let request = call.requests[place]
      ResolveReply.beginResult(
        ResolveReply.Head(
          mission: request.mission, grant: result.outage == nil ? result.grant : nil, outage: result.outage),
        isFirst: place == 0, &reply)
      var refused: [ResolveReply.Refusal] = []
      var isFirst = true
      for (ref, input) in zip(request.inputs, result.inputs) {
        switch input {
        case .shown(let shown, let piece):
          if !isFirst { reply.append(UInt8(ascii: ",")) }
          isFirst = false
          shown.write(piece, to: &reply)
        case .refused(let reason): refused.append(ResolveReply.Refusal(ref, reason: reason.rawValue))
        case .unanswered: break
        }
      }
      ResolveReply.endResult(refused: refused, receipts: Self.receipts(result), &reply)
    }
    ResolveReply.end(&reply)
    return reply
  }

  private var textBytes: Int {
    results.reduce(0) { sum, result in
      result.inputs.reduce(sum) { sum, input in
        if case .shown(_, let piece) = input { sum + piece.range.count + 1 } else { sum }
      }
    }
  }

  private static func receipts(_ result: Result) -> ResolveReply.Receipts? {
    guard let rows = result.rows, let head = result.head else { return nil }
    return ResolveReply.Receipts(from: rows.lowerBound, to: head.seq, hash: head.hash)
  }
}

/// How long something would be.
private struct ByteCount: ByteSink {
  private(set) var bytes = 0
  mutating func append(_ byte: UInt8) { bytes += 1 }
  mutating func append(_ more: Span<UInt8>) { bytes += more.count }
}
