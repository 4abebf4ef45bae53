// One connection: the sole owner of a PGconn. It is used by one session at a time, which is what makes it safe to hand
// from task to task; `Session` keeps that rule at compile time, since it can't be copied.

import CPostgres
import Synchronization

/// `@unchecked Sendable`: its mutable state belongs to whoever holds it, and it is handed on through the pool's lock.
/// `@safe`: the pointer never leaves this target's Connection folder and is freed in `deinit` alone.
@safe
final class Wire: @unchecked Sendable {
  let connection: OpaquePointer
  let socket: Int32
  let usesTLS: Bool
  let configuration: ConnectionConfiguration
  let openedAt = Deadline.now
  let suspension = Suspension()
  private let token: UInt64
  /// The server's process for this connection; behind a pooler, whatever the pooler says.
  let processID: Int32

  /// Which statements this connection knows by name.
  var prepared: Set<Int> = []
  var parameters = ParameterBuffer()
  /// Set once nothing more may be sent: the socket is gone, or what is under way can't be told.
  private(set) var loss: PostgresError?
  /// Set by a draining pool; the next call is refused.
  private let condemned = Atomic<Bool>(false)
  /// In a script, libpq is not in pipeline mode.
  var inPipelineMode = true

  /// Takes over a connection that is up, non-blocking and in pipeline mode. Nil when its socket can't be watched.
  init?(taking connection: OpaquePointer, configuration: ConnectionConfiguration) {
    unsafe self.connection = connection
    socket = unsafe PQsocket(connection)
    usesTLS = unsafe PQsslInUse(connection) != 0
    processID = unsafe PQbackendPID(connection)
    self.configuration = configuration
    token = Reactor.shared.add(suspension)
    guard Reactor.shared.watch(socket: socket, token: token) else { return nil }
  }

  deinit {
    Reactor.shared.remove(token)
    if hasSocket { Reactor.shared.forget(socket: socket) }
    // In non-blocking mode this sends its goodbye if the socket takes it, and closes.
    unsafe PQfinish(connection)
  }

  // MARK: State

  /// No transaction is open, nothing is under way, and the socket is up.
  var isIdle: Bool { loss == nil && transactionStatus == PQTRANS_IDLE }

  var isInTransaction: Bool {
    loss == nil && (transactionStatus == PQTRANS_INTRANS || transactionStatus == PQTRANS_INERROR)
  }

  private var transactionStatus: PGTransactionStatusType { unsafe PQtransactionStatus(connection) }
  /// An answer is not in yet, or not whole.
  var isBusy: Bool { unsafe PQisBusy(connection) != 0 }
  var isDead: Bool { unsafe PQstatus(connection) == CONNECTION_BAD }
  /// Reads what the socket has, without waiting. False when the connection has ended.
  func readSocket() -> Bool { unsafe PQconsumeInput(connection) == 1 }

  /// For one that lay idle: true when the server has neither closed it nor sent anything unasked.
  func isAliveAfterRest() -> Bool {
    guard isIdle else { return false }
    guard WireSocket.isReadable(socket) else { return true }
    // Either the end of it, or a parameter's change; libpq takes the latter in.
    return readSocket() && !isBusy && isIdle && !WireSocket.isReadable(socket)
  }

  func condemn() {
    condemned.store(true, ordering: .sequentiallyConsistent)
    suspension.cancel()
  }

  var isCondemned: Bool { condemned.load(ordering: .sequentiallyConsistent) }

  /// From here on nothing is sent. The first reason stays.
  @discardableResult
  func lose(_ error: PostgresError) -> PostgresError {
    if let loss { return loss }
    loss = error
    return error
  }

  /// Why a call may not begin, if so.
  func refusal(deadline: Deadline, heedsCancellation: Bool) -> PostgresError? {
    if let loss { return loss }
    if isCondemned { return .poolClosed }
    if heedsCancellation && Task.isCancelled { return .cancelled }
    return deadline.hasPassed ? .deadline : nil
  }

  /// libpq closes the socket when it finds it dead, and the kernel may give its number to the next connection.
  private var hasSocket: Bool { unsafe PQsocket(connection) == socket }

  /// Sleeps until the socket is ready; see `Suspension`. One that is gone is ready: reading it will say so.
  nonisolated(nonsending)
    func sleep(until deadline: Deadline, heedingCancellation: Bool, forWriting: Bool) async -> Suspension.Wake
  {
    guard hasSocket else { return .ready }
    return await suspension.sleep(until: deadline, heedingCancellation: heedingCancellation) {
      Reactor.shared.arm(socket: socket, token: token, forWriting: forWriting)
    }
  }
}
