// Everything that can go wrong at this door. No description holds a row's data: what the server says in words may
// quote values, so it is kept in `Withheld` and never printed.

/// Why a call failed. A case exists where a caller would act on it. Every result that can fail has room for one of
/// these, so what is large in them lies elsewhere.
package enum PostgresError: Error, Sendable, Equatable {
  /// The server looked at the statement and refused it.
  indirect case server(ServerError)
  /// No connection could be made, so nothing was sent; the same call may be tried again.
  indirect case unreachable(ConnectFailure)
  /// The connection ended while it was in use.
  indirect case connectionLost(ConnectionLoss)
  /// Time was up; the server has been told to stop.
  case deadline
  /// The task was cancelled; the server has been told to stop.
  case cancelled
  /// No connection became free.
  case poolExhausted(PoolExhaustion)
  /// The pool is draining or drained.
  case poolClosed
  /// The server, or our own use of it, left the protocol.
  case protocolViolation(ProtocolViolation)
  /// A result is not what the reader of it expects.
  indirect case decoding(DecodingProblem)
  /// A parameter cannot be sent. Nothing was.
  case parameter(ParameterProblem)
}

package enum PoolExhaustion: Sendable, Equatable {
  /// So many callers wait already that one more would not be served in time.
  case queueFull
  /// The caller's deadline passed in the queue.
  case waitedTooLong
}

package enum ConnectionLoss: Sendable, Equatable {
  /// The server said why before it closed (an administrator's order, a crash of another backend, a shutdown).
  case ended(ServerError)
  /// The socket closed without a word.
  case closed
  /// The server did not stop within the grace after a cancel, so we closed.
  case abandoned
}

package enum ProtocolViolation: Sendable, Equatable {
  /// An answer came that no message of ours asked for.
  case unexpectedResult
  /// COPY is not offered here; the connection is closed.
  case copy
  /// libpq would not take a message.
  case refusedByLibrary
  /// The server is older than PostgreSQL 15, or its settings change how text and dates are written.
  case unsupportedServer
  /// A statement that controls transactions was sent where the door does that itself.
  case strayTransaction
}

package struct DecodingProblem: Sendable, Equatable {
  package enum Reason: Sendable, Equatable {
    /// The column has a type that the wanted Swift type is not read from.
    case type(oid: UInt32)
    case null
    /// The type is right but its bytes are not.
    case malformed
    case noSuchColumn
    /// Another count of rows than the statement promises.
    case rows(Int)
  }
  package let column: Int
  package let reason: Reason

  package init(column: Int, reason: Reason) {
    self.column = column
    self.reason = reason
  }
}

package enum ParameterProblem: Sendable, Equatable {
  /// One statement's parameters are larger than `WireLimits.statementBytes`.
  case tooLarge
  /// PostgreSQL's text holds no NUL.
  case nulInText(parameter: Int)
  case malformedUUID(parameter: Int)
  /// A name or literal that cannot be quoted: empty, longer than the server keeps, or with a NUL in it.
  case unquotable
  /// The password cannot be turned into a verifier.
  case password
}

/// The way an error of this door enters an error type above it, so that a pool's closure may throw that type.
package protocol PostgresFailure: Error {
  init(postgres error: PostgresError)
}

extension PostgresError: PostgresFailure {
  package init(postgres error: PostgresError) { self = error }
}

extension PostgresError: CustomStringConvertible {
  /// Safe to log: identifiers of the schema and states, never a value.
  package var description: String {
    switch self {
    case .server(let error): "the server refused: \(error)"
    case .unreachable(let failure): "no connection: \(failure)"
    case .connectionLost(.ended(let error)): "the server ended the connection: \(error)"
    case .connectionLost(.closed): "the connection was closed"
    case .connectionLost(.abandoned): "the server did not stop in time and the connection was dropped"
    case .deadline: "the deadline passed"
    case .cancelled: "cancelled"
    case .poolExhausted(.queueFull): "too many callers wait for a connection"
    case .poolExhausted(.waitedTooLong): "no connection became free in time"
    case .poolClosed: "the pool is closed"
    case .protocolViolation(let violation): "protocol violation: \(violation)"
    case .decoding(let problem): "column \(problem.column) cannot be read: \(problem.reason)"
    case .parameter(let problem): "parameter refused: \(problem)"
    }
  }
}
