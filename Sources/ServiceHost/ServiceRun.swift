// A service while it serves: from the first look at its checks to the last answer of its drain.

import HTTPServing
import ServiceRuntime

struct ServiceRun {
  let name: StaticString
  let settings: ServiceSettings
  let service: RunningService
  let log: Log
  let metrics: MetricRegistry
  let readiness: Readiness
  let metricNames: RequestMetricNames

  struct Ending {
    /// It ended because somebody wanted it to.
    var wasAsked = false
    /// Files are still being read again, on a thread that nobody waits for.
    var isReloading = false
  }

  func serve(_ signals: ServiceSignals, since started: ContinuousClock.Instant) async -> Ending {
    guard await isProved() else { return Ending() }
    let listeners = self.listeners
    takeDescriptors(listeners)
    let requests = RequestLog(log)
    let figures = RequestMetrics(metrics, patterns: listeners.flatMap(\.routes.patterns), names: metricNames)
    let server: HTTPServer
    do throws(HTTPServingError) {
      server = try HTTPServer(
        listeners,
        observer: HTTPObserver { event in
          figures.note(event)
          requests.note(event)
        }, handlers: service.handlers)
    } catch {
      log.error("The service cannot listen.", [.detail: .text(error.words)])
      return Ending()
    }
    async let writing: Void = requests.run()
    for (listener, address) in zip(listeners, server.addresses) {
      log.info(
        "Listening.",
        [
          .listener: .reason(listener.name), .address: .text(Self.text(address)),
          .took: .took(started.duration(to: .now)),
        ]
      )
    }
    let reloading = Reloading { reload(server) }
    let wasAsked = await run(server, signals, reloading)
    requests.end()
    await writing
    return Ending(wasAsked: wasAsked, isReloading: reloading.isRunning)
  }

  /// Whatever a look finds broken before the first request stops the start: an operator is there to read why.
  private func isProved() async -> Bool {
    let problems = await readiness.firstLook()
    for (name, problem) in problems {
      log.error("The service cannot start: a check is broken.", [.reason: .reason(name), .detail: .text(problem)])
    }
    return problems.isEmpty
  }

  /// For pools, files, and connections that are turned away.
  private static let otherDescriptors = 1_024

  /// Before anybody can connect: a flood is to meet the limits of a listener, not those of the process.
  private func takeDescriptors(_ listeners: [HTTPListener]) {
    let wanted = listeners.reduce(Self.otherDescriptors) { $0 + $1.limits.connections }
    if !ProcessStart.allowDescriptors(wanted) {
      log.warning(
        "A flood of connections could take the last file descriptor.",
        [.count: .count(wanted), .detail: .text("allow as many as are counted here: ulimit -Hn, or LimitNOFILE.")])
    }
  }

  private enum Part {
    case stopRequest
    case server
    case background
  }

  private func run(_ server: HTTPServer, _ signals: ServiceSignals, _ reloading: Reloading) async -> Bool {
    await withTaskGroup(of: Part.self) { group in
      group.addTask {
        do throws(HTTPServingError) { try await server.run() } catch {
          log.error("The server ended.", [.detail: .text(error.words)])
        }
        return .server
      }
      group.addTask {
        await readiness.run()
        return .background
      }
      for work in service.background {
        group.addTask {
          await work()
          return .background
        }
      }
      group.addTask {
        await reloading.run()
        return .background
      }
      group.addTask {
        await follow(signals, reloading)
        return .stopRequest
      }
      let first = await group.next()
      let wasAsked = first == .stopRequest
      if wasAsked {
        log.info("Asked to stop; draining.", [.took: .took(settings.drainTime)])
      } else {
        log.error("A part of the service ended by itself; draining.")
      }
      readiness.beginDraining()
      await server.drain(within: settings.drainTime)
      group.cancelAll()
      for await _ in group {}
      return wasAsked
    }
  }

  /// Returns when somebody asks to stop.
  private func follow(_ signals: ServiceSignals, _ reloading: Reloading) async {
    for await request in signals.requests {
      switch request {
      case .stop: return
      case .reload: reloading.wish()
      }
    }
  }

  /// What cannot be read again stays as it was; a service does not fall because a file is wrong for a moment.
  private func reload(_ server: HTTPServer) {
    var problems = service.reload().map(\.sentence)
    do throws(HTTPServingError) { try server.reloadTLS() } catch { problems.append(error.words) }
    for problem in problems { log.error("Could not be reloaded; what was there stays.", [.detail: .text(problem)]) }
    if problems.isEmpty { log.info("Reloaded.") }
  }

  // MARK: Listeners

  private var listeners: [HTTPListener] {
    var list: [HTTPListener] = []
    if let settings = settings.publicListener, let routes = service.publicRoutes {
      var listener = HTTPListener(.publicSide, Self.address(settings.address), routes: routes)
      (listener.tls, listener.limits) = (settings.tls, service.publicLimits)
      (listener.cors, listener.trustedProxies) = (self.settings.cors, self.settings.trustedProxies)
      list.append(listener)
    }
    var routes = service.internalRoutes
    StandardAnswers(
      service: name, readiness: readiness, metrics: metrics, health: service.health, gauges: service.gauges
    ).add(to: &routes)
    var listener = HTTPListener(.internalSide, Self.address(settings.internalListener.address), routes: routes)
    (listener.tls, listener.limits) = (settings.internalListener.tls, service.internalLimits)
    list.append(listener)
    return list
  }

  /// A Unix socket is for this user and its group: the group is how an operator lets another service in.
  private static func address(_ address: ListenAddress) -> HTTPListener.Address {
    switch address {
    case .tcp(let host, let port): .tcp(host: host, port: UInt16(port))
    case .unix(let path): .unix(path: path, access: .group)
    }
  }

  private static func text(_ address: HTTPListener.Address) -> String {
    switch address {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path, _): "unix:\(path)"
    }
  }
}
