// A service's HTTP server: its listeners on one loop, its handlers on the cooperative threads, or where the service
// says.
//
//     let server = try HTTPServer([HTTPListener(.internalSide, .tcp(host: "127.0.0.1", port: 3067), routes: routes)])
//     await server.run()

import Synchronization

package final class HTTPServer: Sendable {
  /// How long a drain waits for requests that are under way, unless said otherwise; what orchestrators grant at least.
  package static let drainTime = Duration.seconds(10)

  private let loop: Loop
  private let handlers: (any TaskExecutor)?
  private let listeners: [ListenerLoop]
  private let stopped = Latch()
  private let hasRun = Mutex(false)
  /// Where each listener can be reached, in the order given; a port 0 has become the one that was free.
  package let addresses: [HTTPListener.Address]

  /// Opens the listeners, so that whatever is wrong with an address or a certificate is known before anything runs.
  /// Connections wait in the kernel until `run`. `handlers` are the threads that handlers run on, where these are not to
  /// be the cooperative ones.
  package init(
    _ listeners: [HTTPListener], observer: HTTPObserver = .silent, handlers: (any TaskExecutor)? = nil
  ) throws(HTTPServingError) {
    loop = try Loop()
    self.handlers = handlers
    var loops: [ListenerLoop] = []
    var addresses: [HTTPListener.Address] = []
    for settings in listeners {
      try settings.check()
      var tls: TLSContext?
      if let files = settings.tls { tls = try TLSContext(files) }
      let socket = try ListeningSocket(settings.address)
      addresses.append(socket.address)
      loops.append(ListenerLoop(loop: loop, settings: settings, socket: socket, tls: tls, observer: observer))
    }
    self.listeners = loops
    self.addresses = addresses
    for listener in loops { loop.add(listener) }
  }

  /// Serves until it is drained, or until its task is cancelled, which ends every connection at once. It returns when
  /// every handler has ended; a handler that does not heed its cancellation holds it up.
  package func run() async throws(HTTPServingError) {
    let isFirst = hasRun.withLock { hasRun in
      defer { hasRun = true }
      return !hasRun
    }
    guard isFirst else { throw .alreadyRun }
    let (connections, feed) = AsyncStream.makeStream(of: Connection.self)
    let (loop, stopped) = (loop, stopped)
    let isStarted = loop.start(
      serve: { feed.yield($0) },
      ended: {
        feed.finish()
        stopped.open()
      })
    guard isStarted else {
      // Nothing will run that could end; whoever drains must not wait for it.
      stopped.open()
      throw .outOfResources
    }
    await withTaskCancellationHandler {
      await withDiscardingTaskGroup { group in
        for await connection in connections {
          group.addTask(executorPreference: handlers) { await connection.serve() }
        }
        await stopped.opened()
      }
    } onCancel: {
      loop.post(.stop)
    }
  }

  /// Accepts nothing more, closes what is idle, lets requests under way finish with `Connection: close`, and ends the
  /// rest after `time`. Returns when that is done.
  package func drain(within time: Duration = drainTime) async {
    guard hasRun.withLock({ $0 }) else { return }
    loop.post(.drain(until: Moment.now.adding(time)))
    await stopped.opened()
  }

  /// Reads every certificate, key and client authority anew, for SIGHUP. Connections that are open stay as they are;
  /// if anything is wrong, everything does.
  package func reloadTLS() throws(HTTPServingError) {
    var renewed: [(ListenerLoop, TLSContext)] = []
    for listener in listeners {
      if let files = listener.settings.tls { renewed.append((listener, try TLSContext(files))) }
    }
    for (listener, context) in renewed { listener.renew(context) }
  }
}
