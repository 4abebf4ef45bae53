// A batch of units over a connection, in libpq's pipeline mode: one round trip, however many units. Behind a pooler it
// is one round trip per unit, because PgBouncer (1.18, Debian's) gives the server away at the end of a transaction even
// while the client's next one is on its way: half of that, which has no Sync yet, would stay with the old server, where
// the next client's Sync commits it, and its other half would go to a new one, which reads parameters as messages.

import CPostgres

extension Wire {
  /// One outcome per unit. Nothing is sent when a parameter of any of them can't be.
  nonisolated(nonsending)
    func run(
      _ units: [PipelineUnit], deadline: Deadline, heedsCancellation: Bool = true
    ) async throws(PostgresError) -> [UnitOutcome]
  {
    for unit in units { for bound in unit.statements { try ParameterBuffer.check(bound.values) } }
    if let refusal = refusal(deadline: deadline, heedsCancellation: heedsCancellation) {
      return units.map { _ in .failure(.unsent(refusal)) }
    }
    guard enterPipelineMode() else {
      let error = lose(.protocolViolation(.refusedByLibrary))
      return units.map { _ in .failure(.unsent(error)) }
    }
    var exchange = PipelineExchange(
      progress: PipelineProgress(
        units, isPrepared: { prepared.contains($0) }, namesAllowed: configuration.pooler == .none))
    await perform(&exchange, deadline: deadline, heedsCancellation: heedsCancellation)
    prepared.formUnion(exchange.progress.newlyPrepared)
    settle()
    // The pool replaces it; its other statements may be stale as well.
    if exchange.progress.hasStaleStatements { lose(.protocolViolation(.unexpectedResult)) }
    return exchange.progress.outcomes
  }

  private func enterPipelineMode() -> Bool {
    if !inPipelineMode { inPipelineMode = unsafe PQenterPipelineMode(connection) == 1 }
    return inPipelineMode
  }

  /// After the last Sync libpq wants to be asked once more before it is idle.
  private func settle() {
    guard loss == nil else { return }
    guard !isBusy, unsafe PQgetResult(connection) == nil else {
      lose(.protocolViolation(.unexpectedResult))
      return
    }
  }

  fileprivate func post(_ step: PipelineStep) -> Bool {
    switch step {
    case .sync: return unsafe PQpipelineSync(connection) == 1
    case .prepare(let statement):
      return unsafe PQsendPrepare(
        connection, statement.name, statement.cText, Int32(statement.oids.count), statement.oids) == 1
    case .run(let bound):
      let statement = bound.statement
      parameters.load(bound.values)
      let named = statement.number != nil && configuration.pooler == .none
      return unsafe parameters.withPointers { count, values, lengths, formats in
        unsafe named
          ? PQsendQueryPrepared(connection, statement.name, count, values, lengths, formats, 1) == 1
          : PQsendQueryParams(connection, statement.cText, count, statement.oids, values, lengths, formats, 1) == 1
      }
    }
  }
}

private struct PipelineExchange: Exchange {
  var progress: PipelineProgress

  var isAnswered: Bool { progress.isAnswered }
  var isQuiet: Bool { progress.isQuiet }
  mutating func abandon(_ error: PostgresError) { progress.abandon(error) }

  mutating func send(over wire: Wire, unflushed: Bool, stopping: Bool) -> Bool {
    var unflushed = unflushed && wire.flush()
    // A unit goes into libpq's buffer whole, so that stopping never leaves half of one, which a Sync would commit.
    while !unflushed, !progress.isSent, !stopping, wire.loss == nil {
      if wire.configuration.pooler != .none, progress.isAtUnitStart, !progress.isQuiet { break }
      let step = progress.nextToSend
      guard wire.post(step) else {
        wire.lose(wire.isDead ? .connectionLost(.closed) : .protocolViolation(.refusedByLibrary))
        return false
      }
      progress.noteSent()
      if case .sync = step { unflushed = wire.flush() }
    }
    return unflushed
  }

  mutating func receive(over wire: Wire, stop: PostgresError?) {
    while wire.loss == nil, let step = progress.nextToAnswer, !wire.isBusy {
      if let result = unsafe PQgetResult(wire.connection) {
        take(unsafe ResultOwner(result), for: step, wire, stop: stop)
      } else if !progress.stepEnded() {
        wire.lose(.protocolViolation(.unexpectedResult))
      }
    }
  }

  private mutating func take(_ result: ResultOwner, for step: PipelineStep, _ wire: Wire, stop: PostgresError?) {
    switch unsafe PQresultStatus(result.pointer) {
    case PGRES_PIPELINE_SYNC:
      if case .sync = step { progress.synced() } else { wire.lose(.protocolViolation(.unexpectedResult)) }
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: progress.succeeded(result)
    case PGRES_PIPELINE_ABORTED: progress.skipped()
    case PGRES_FATAL_ERROR:
      let error = wire.refusal(result, stop: stop)
      if wire.loss == nil { progress.failed(error) }
    case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: wire.lose(.protocolViolation(.copy))
    default: wire.lose(.protocolViolation(.unexpectedResult))
    }
  }
}
