// Several statements in one text, without parameters and without results: what a migration is. PostgreSQL takes those
// in its simple protocol only, and libpq that only outside pipeline mode.

import CPostgres

extension Wire {
  /// Runs the script. Outside a transaction block, the whole of it is one transaction, unless it says otherwise.
  nonisolated(nonsending)
    func script(_ sql: String, deadline: Deadline, heedsCancellation: Bool = true) async throws(PostgresError)
  {
    precondition(!sql.utf8.contains(0) && sql.utf8.count <= WireLimits.sqlBytes, "a script with a NUL, or too long")
    if let refusal = refusal(deadline: deadline, heedsCancellation: heedsCancellation) { throw refusal }
    guard leavePipelineMode() else { throw lose(.protocolViolation(.refusedByLibrary)) }
    var exchange = ScriptExchange(sql: sql)
    await perform(&exchange, deadline: deadline, heedsCancellation: heedsCancellation)
    if let failure = exchange.failure { throw failure }
  }

  private func leavePipelineMode() -> Bool {
    if inPipelineMode { inPipelineMode = unsafe PQexitPipelineMode(connection) != 1 }
    return !inPipelineMode
  }
}

private struct ScriptExchange: Exchange {
  let sql: String
  private var isSent = false
  private(set) var isAnswered = false
  private(set) var failure: PostgresError?

  init(sql: String) { self.sql = sql }

  var isQuiet: Bool { !isSent || isAnswered }

  /// It was sent, so the first thing that is known about it stays.
  mutating func abandon(_ error: PostgresError) { if failure == nil { failure = error } }

  mutating func send(over wire: Wire, unflushed: Bool, stopping: Bool) -> Bool {
    if isSent { return unflushed && wire.flush() }
    guard unsafe PQsendQuery(wire.connection, sql) == 1 else {
      wire.lose(wire.isDead ? .connectionLost(.closed) : .protocolViolation(.refusedByLibrary))
      return false
    }
    isSent = true
    return wire.flush()
  }

  mutating func receive(over wire: Wire, stop: PostgresError?) {
    while wire.loss == nil, isSent, !isAnswered, !wire.isBusy {
      guard let pointer = unsafe PQgetResult(wire.connection) else {
        isAnswered = true
        return
      }
      let result = unsafe ResultOwner(pointer)
      switch unsafe PQresultStatus(result.pointer) {
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: break
      case PGRES_FATAL_ERROR: abandon(wire.refusal(result, stop: stop))
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: wire.lose(.protocolViolation(.copy))
      default: wire.lose(.protocolViolation(.unexpectedResult))
      }
    }
  }
}
