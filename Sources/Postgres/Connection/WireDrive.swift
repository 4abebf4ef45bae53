// Moves an exchange over a connection: sends while the socket takes it, reads while there is something to read, and
// sleeps when neither is possible. Sending and reading take turns, so neither side can wait for the other for ever,
// however large the messages or their answers. The same loop stops an exchange, at its deadline or when cancelled.

import CPostgres

/// Messages that go out, and the answers to them.
protocol Exchange {
  /// Nothing more will come.
  var isAnswered: Bool { get }
  /// Everything that was sent is answered; there may be more to send.
  var isQuiet: Bool { get }
  /// Sends until the socket is full or nothing is left, nothing new when `stopping`. True when libpq holds bytes
  /// that the socket did not take.
  mutating func send(over wire: Wire, unflushed: Bool, stopping: Bool) -> Bool
  /// Takes every answer that has come in whole. Our own cancel shows as the server's "query canceled", which becomes
  /// `stop`: the caller is told what it was for.
  mutating func receive(over wire: Wire, stop: PostgresError?)
  /// The rest will be neither sent nor answered.
  mutating func abandon(_ error: PostgresError)
}

extension Wire {
  /// How often an exchange that has been told to stop is told again: a cancel stops one statement, not the next.
  private static let cancelInterval = Duration.milliseconds(100)
  /// With TLS, libssl may hold bytes that the socket no longer shows: libpq 15 reads a record in part where its buffer
  /// has less room, and servers since 17, and PgBouncer, send records larger than that room. libpq does not say so, and
  /// libssl is not ours to ask. So a sleep over TLS is a nap, short at first, longer while nothing comes.
  private static let shortestNap = Duration.milliseconds(1)
  private static let longestNap = Duration.milliseconds(100)

  nonisolated(nonsending)
    func perform<Work: Exchange>(_ work: inout Work, deadline: Deadline, heedsCancellation: Bool) async
  {
    suspension.reset()
    if isCondemned { suspension.cancel() }
    if heedsCancellation {
      await withTaskCancellationHandler {
        await drive(&work, deadline: deadline, heedsCancellation: true)
      } onCancel: {
        suspension.cancel()
      }
    } else {
      await drive(&work, deadline: deadline, heedsCancellation: false)
    }
    if let loss { work.abandon(loss) }
  }

  nonisolated(nonsending)
    private func drive<Work: Exchange>(_ work: inout Work, deadline: Deadline, heedsCancellation: Bool) async
  {
    var unflushed = false
    var stop = StopOrder()
    var nap = Self.shortestNap
    while true {
      unflushed = work.send(over: self, unflushed: unflushed, stopping: stop.reason != nil)
      work.receive(over: self, stop: stop.reason)
      if loss != nil || work.isAnswered && !stop.isUnderWay { return }
      if work.isQuiet, !stop.isUnderWay {
        // Everything sent is answered, and there is more to send.
        guard let reason = stop.reason else { continue }
        // Stopped between two messages: the server waits for nothing, so the connection stays.
        work.abandon(reason)
        return
      }
      if usesTLS, isBusy {
        // Mostly this second read fetches what libssl still holds.
        read(&work, stop)
        if loss != nil || !isBusy { continue }
      }
      let act = stop.nextAct ?? deadline
      let until = usesTLS ? act.earlier(of: .after(nap)) : act
      let heeds = heedsCancellation && stop.reason == nil
      switch await sleep(until: until, heedingCancellation: heeds, forWriting: unflushed) {
      case .ready:
        nap = Self.shortestNap
        read(&work, stop)
      case .cancelled: begin(&stop, isCondemned ? .poolClosed : .cancelled)
      case .deadline:
        nap = min(nap * 2, Self.longestNap)
        if usesTLS { read(&work, stop) }
        guard act.hasPassed else { continue }
        if stop.reason != nil { pursue(&stop) } else { begin(&stop, .deadline) }
      }
    }
  }

  private func read<Work: Exchange>(_ work: inout Work, _ stop: StopOrder) {
    guard !readSocket() else { return }
    // The end of it. What came before the end is still answered, and may say why.
    work.receive(over: self, stop: stop.reason)
    lose(.connectionLost(.closed))
  }

  /// Gives the socket what libpq holds. True when something is left.
  func flush() -> Bool {
    let rest = unsafe PQflush(connection)
    if rest < 0 { lose(.connectionLost(.closed)) }
    return rest > 0
  }

  /// What an error result means: a refusal, or, where it is fatal, the end of the connection.
  func refusal(_ result: ResultOwner, stop: PostgresError?) -> PostgresError {
    let error = unsafe ServerError(result.pointer)
    guard error.severity == .error, !isDead else {
      return lose(.connectionLost(error.state == .none ? .closed : .ended(error)))
    }
    if let stop, error.state == .queryCanceled { return stop }
    return .server(error)
  }

  // MARK: Stopping

  private func begin(_ stop: inout StopOrder, _ reason: PostgresError) {
    stop.reason = reason
    stop.giveUpAt = .after(configuration.cancelGrace)
    stop.request = CancelRequest(self)
    stop.nextAct = stop.giveUpAt.earlier(of: .after(Self.cancelInterval))
  }

  /// Neither finished nor stopped: tell the server again, until the grace is over.
  private func pursue(_ stop: inout StopOrder) {
    if stop.giveUpAt.hasPassed {
      lose(stop.reason ?? .connectionLost(.abandoned))
      return
    }
    if !stop.isUnderWay { stop.request = CancelRequest(self) }
    stop.nextAct = stop.giveUpAt.earlier(of: .after(Self.cancelInterval))
  }
}

/// Where the stopping of an exchange stands.
private struct StopOrder {
  var reason: PostgresError?
  var request: CancelRequest?
  var giveUpAt = Deadline.never
  var nextAct: Deadline?

  /// A cancel is on its way to the server; what begins now could be hit by it.
  var isUnderWay: Bool { request.map { !$0.isFinished } ?? false }
}
