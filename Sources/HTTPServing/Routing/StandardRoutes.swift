// The three routes of every service, from closures: what health means is the process's to say.

extension HTTPRoutes {
  /// `health` and `ready` give JSON; `ready` also whether it is true (200) or not (503). `metrics` gives Prometheus'
  /// text format. None of them needs a key: they belong on the internal listener.
  package mutating func standard(
    health: @escaping @Sendable () async -> [UInt8],
    ready: @escaping @Sendable () async -> (isReady: Bool, json: [UInt8]),
    metrics: @escaping @Sendable () async -> [UInt8]
  ) {
    get("/health") { _ in .json(await health()) }
    get("/ready") { _ in
      let answer = await ready()
      return .json(answer.json, status: answer.isReady ? 200 : 503)
    }
    get("/metrics") { _ in .bytes(await metrics(), type: "text/plain; version=0.0.4; charset=utf-8") }
  }
}
