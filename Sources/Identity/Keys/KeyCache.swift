// When keys are used, fetched, waited for or given up: plain decisions on what is known, tested without a network.

struct KeyCache: Sendable {
  struct Rules: Sendable {
    /// Keys are asked for again after this long, so that one that was taken back stops being believed.
    var fresh: Duration = .seconds(600)
    /// Between two askings, whatever the reason: an unknown id, old keys, a source that is down.
    var cooldown: Duration = .seconds(30)
    /// How long keys are used while the source is down. Without an end, whoever keeps the source down would keep a
    /// stolen key alive.
    var longestStale: Duration = .seconds(86_400)
  }

  enum Step: Equatable {
    case use(VerificationKey)
    /// The caller is the one who asks the source.
    case fetch
    /// Somebody is asking already, and only the answer can help.
    case wait
    case refuse(TokenRefusal)
  }

  let rules: Rules
  private var keys: (set: KeySet, at: ContinuousClock.Instant)?
  private var lastFetch: ContinuousClock.Instant?
  private(set) var isFetching = false

  init(rules: Rules) { self.rules = rules }

  /// `.fetch` is answered to one caller, who must call `end` in any case.
  mutating func next(_ id: String, now: ContinuousClock.Instant) -> Step {
    let known = keys.flatMap { keys in
      keys.at.duration(to: now) < rules.longestStale ? keys : nil
    }
    let key = known?.set.key(id)
    let isFresh = known.map { $0.at.duration(to: now) < rules.fresh } ?? false
    if let key, isFresh || isFetching || !mayFetch(now) { return .use(key) }
    if isFetching { return .wait }
    guard mayFetch(now) else { return .refuse(known == nil ? .noKeys : .unknownKey) }
    isFetching = true
    lastFetch = now
    return .fetch
  }

  private func mayFetch(_ now: ContinuousClock.Instant) -> Bool {
    lastFetch.map { $0.duration(to: now) >= rules.cooldown } ?? true
  }

  enum Result {
    case keys(KeySet)
    case failed
  }

  mutating func end(_ result: Result, now: ContinuousClock.Instant) {
    precondition(isFetching, "only who was told to fetch may end it")
    isFetching = false
    switch result {
    case .keys(let set): keys = (set, now)
    case .failed: break
    }
  }
}
