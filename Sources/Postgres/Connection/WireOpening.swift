// Making a connection, on a thread of its own: the name's resolution, a slow peer, TLS and SCRAM's 4,096 rounds all
// block or compute, and none of it may hold up a cooperative thread.

extension Wire {
  /// Opens a connection, or says why not. When the caller gives up first, the thread closes what it has made.
  nonisolated(nonsending)
    static func open(_ configuration: ConnectionConfiguration, deadline: Deadline) async throws(PostgresError) -> Wire
  {
    guard !Task.isCancelled else { throw .cancelled }
    guard !deadline.hasPassed else { throw .deadline }
    let limit = deadline.earlier(of: .after(configuration.connectTimeout))
    let handover = Handover()
    let token = Reactor.shared.add(handover.suspension)
    defer { Reactor.shared.remove(token) }
    let started = BlockingThread.start {
      let result: Result<Wire, PostgresError>
      do throws(PostgresError) {
        result = .success(try Wire.openBlocking(configuration, deadline: limit, wanted: { handover.isWanted }))
      } catch { result = .failure(error) }
      handover.deliver(result)
    }
    guard started else { throw .unreachable(ConnectFailure(reason: .resources)) }
    let wake = await withTaskCancellationHandler {
      await handover.suspension.sleep(until: limit, heedingCancellation: true)
    } onCancel: {
      handover.suspension.cancel()
    }
    let result = handover.take() ?? .failure(.deadline)
    if wake == .cancelled { throw .cancelled }
    // The attempt's own time was up, not the caller's.
    if case .failure(.deadline) = result, !deadline.hasPassed {
      throw .unreachable(ConnectFailure(reason: .network, detail: "no answer within the time for connecting"))
    }
    return try result.get()
  }

  /// Where the thread leaves its result, unless nobody waits for it any more.
  private final class Handover: Sendable {
    private enum State {
      case wanted
      case delivered(Result<Wire, PostgresError>)
      case unwanted
    }
    let suspension = Suspension()
    private let state = Guarded(State.wanted)

    var isWanted: Bool { state.withLock { if case .wanted = $0 { true } else { false } } }

    func deliver(_ result: Result<Wire, PostgresError>) {
      state.withLock { if case .wanted = $0 { $0 = .delivered(result) } }
      suspension.ring()
    }

    func take() -> Result<Wire, PostgresError>? {
      state.withLock { state in
        defer { state = .unwanted }
        if case .delivered(let result) = state { return result }
        return nil
      }
    }
  }

  // MARK: On the thread

  private static func openBlocking(
    _ configuration: ConnectionConfiguration, deadline: Deadline, wanted: () -> Bool
  ) throws(PostgresError) -> Wire {
    try PasswordFile.check(configuration)
    guard let opening = OpeningConnection(configuration) else {
      throw .unreachable(ConnectFailure(reason: .resources))
    }
    try opening.finish(deadline: deadline, wanted: wanted)
    try opening.prepare()
    guard let wire = opening.wire(configuration) else { throw .unreachable(ConnectFailure(reason: .resources)) }
    return wire
  }
}
