// The one thread that libevent runs on: it accepts, reads, writes and keeps deadlines. What other threads want done
// goes into a queue, with a bell; only this thread touches evhttp.

import CLibevent
import Synchronization
import Threads

#if canImport(Glibc)
  import Glibc
#endif

/// `@unchecked Sendable`: the queue is behind a lock; everything else belongs to the loop's thread once it runs. `@safe`:
/// what libevent holds of this object's is taken back before the object can end.
@safe
final class Loop: @unchecked Sendable {
  enum Command: Sendable {
    case reply(Connection, HTTPResponse)
    /// A connection's task has ended.
    case served(Connection)
    case drain(until: Moment)
    case stop
  }

  /// How exactly deadlines are kept. One look at every connection 20 times a second costs less than a timer for each
  /// phase of each request.
  static let tickMilliseconds = 50

  private(set) var base: OpaquePointer?
  private(set) var isDraining = false
  private let bell: Int32
  private let queue = Mutex<[Command]>([])
  private var listeners: [ListenerLoop] = []
  /// By the address of evhttp's connection.
  private var connections: [UInt: Connection] = [:]
  private var newcomers: [Connection] = []
  private var laters: [(connection: Connection, refusal: Refusal?)] = []
  private var laterEvent: OpaquePointer?
  private var drainDeadline: Moment?
  private var ids = RequestID()
  private var serve: (@Sendable (Connection) -> Void)?

  init() throws(HTTPServingError) {
    bell = mandate_bell_open()
    guard bell >= 0 else { throw .outOfResources }
  }

  deinit { close(bell) }

  func add(_ listener: ListenerLoop) { listeners.append(listener) }

  // MARK: From any thread

  func post(_ command: Command) {
    let isFirst = queue.withLock { queue in
      queue.append(command)
      return queue.count == 1
    }
    if isFirst { _ = eventfd_write(bell, 1) }
  }

  /// Starts the thread. `serve` is given each new connection, `ended` is called once, when nothing is left.
  func start(serve: @escaping @Sendable (Connection) -> Void, ended: @escaping @Sendable () -> Void) -> Bool {
    self.serve = serve
    return OwnThread.start {
      self.run()
      self.serve = nil
      ended()
    }
  }

  // MARK: The thread

  private func run() {
    _ = Self.preparation
    guard let base = unsafe mandate_event_base_new() else {
      fatalError("mandate: no descriptor is left for the event loop")
    }
    unsafe self.base = base
    let argument = unsafe Unmanaged.passUnretained(self).toOpaque()
    let bellEvent = unsafe event_new(
      base, bell, Int16(EV_READ | EV_PERSIST), { _, _, argument in unsafe Callbacks.loop(argument)?.answerBell() },
      argument)
    let tickEvent = unsafe event_new(
      base, -1, Int16(EV_PERSIST), { _, _, argument in unsafe Callbacks.loop(argument)?.tick() }, argument)
    unsafe laterEvent = event_new(
      base, -1, 0, { _, _, argument in unsafe Callbacks.loop(argument)?.catchUp() }, argument)
    var interval = timeval(tv_sec: 0, tv_usec: Self.tickMilliseconds * 1000)
    unsafe event_add(bellEvent, nil)
    unsafe event_add(tickEvent, &interval)
    for listener in listeners { unsafe listener.begin(base) }
    unsafe event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY)

    for connection in connections.values { connection.abandon() }
    for listener in listeners { listener.end() }
    // bufferevents close their sockets in a second step.
    unsafe event_base_loop(base, EVLOOP_NONBLOCK)
    unsafe event_free(bellEvent)
    unsafe event_free(tickEvent)
    unsafe event_free(laterEvent)
    unsafe event_base_free(base)
    unsafe self.base = nil
    laters.removeAll()
  }

  /// Once, whatever the number of loops.
  private static let preparation: Void = {
    mandate_ignore_sigpipe()
    mandate_silence_libevent()
    mandate_wipe_what_libevent_frees()
  }()

  private func answerBell() {
    var rings: UInt64 = 0
    _ = unsafe eventfd_read(bell, &rings)
    let commands = queue.withLock { queue in
      var taken: [Command] = []
      swap(&taken, &queue)
      return taken
    }
    for command in commands {
      switch command {
      case .reply(let connection, let response): connection.send(response)
      case .served(let connection):
        connection.isServed = true
        release(connection)
      case .drain(let deadline): drain(until: deadline)
      case .stop: unsafe event_base_loopbreak(base)
      }
    }
  }

  private func tick() {
    let now = Moment.now
    for connection in connections.values where connection.deadline <= now { connection.expire() }
    if let drainDeadline, drainDeadline <= now { unsafe event_base_loopbreak(base) }
    if !isDraining { for listener in listeners { listener.tick() } }
  }

  private func drain(until deadline: Moment) {
    drainDeadline = min(deadline, drainDeadline ?? deadline)
    guard !isDraining else { return }
    isDraining = true
    for listener in listeners { listener.stopAccepting() }
    for connection in connections.values where connection.isIdle { connection.abandon() }
    endIfEmpty()
  }

  private func endIfEmpty() {
    if isDraining, connections.isEmpty, newcomers.isEmpty { unsafe event_base_loopbreak(base) }
  }

  // MARK: Connections

  func nextID() -> String { ids.next() }

  func connection(of pointer: OpaquePointer) -> Connection? { connections[UInt(bitPattern: pointer)] }

  /// evhttp makes its own object after it has been given the bufferevent; before anything can be read, we look for it.
  func welcome(_ connection: Connection) {
    newcomers.append(connection)
    unsafe event_active(laterEvent, 0, 0)
  }

  /// For what must not happen while libevent is in the middle of reading, or evhttp of finishing.
  func later(_ connection: Connection, refusal: Refusal? = nil) {
    laters.append((connection, refusal))
    unsafe event_active(laterEvent, 0, 0)
  }

  private func catchUp() {
    let (new, rest) = (newcomers, laters)
    (newcomers, laters) = ([], [])
    for connection in new {
      guard connection.adopt(), let pointer = unsafe connection.connection else { continue }
      connections[UInt(bitPattern: pointer)] = connection
      if connection.isUnwanted {
        connection.turnAway()
      } else {
        connection.listener.notify(.opened(connection.listener.settings.name))
        serve?(connection)
        if isDraining { connection.abandon() }
      }
    }
    for (connection, refusal) in rest {
      if let refusal { connection.writeRefusal(refusal) } else { connection.sendInterim() }
    }
  }

  func forget(_ connection: Connection) {
    if let pointer = unsafe connection.connection { connections[UInt(bitPattern: pointer)] = nil }
    if connection.isUnwanted {
      connection.listener.occupied -= 1
    } else {
      connection.listener.notify(.closed(connection.listener.settings.name))
      release(connection)
    }
    endIfEmpty()
  }

  /// A connection counts until its handler has ended too, or a client could leave any number of them behind.
  private func release(_ connection: Connection) {
    if connection.isServed, case .closed = connection.phase { connection.listener.occupied -= 1 }
  }
}
