// Where the keys come from: a document on the web that is cached, or a file that is read again when told to.

package import HTTPFetching
import Secrets
package import ServiceRuntime
import Synchronization

/// The key for an id, or why there is none.
package protocol KeySource: Sendable {
  func key(_ id: String) async -> Result<FoundKey, TokenRefusal>
}

/// Opaque: what one can do with it stays in this target.
package struct FoundKey: Sendable {
  let key: VerificationKey
}

// MARK: A document on the web

package final class KeySetURL: KeySource {
  /// More callers than a service has connections never wait here.
  static let mostWaiting = 1024

  private struct State {
    var cache: KeyCache
    var waiting: [CheckedContinuation<Bool, Never>] = []
  }

  private let request: HTTPRequest
  private let client: HTTPClient
  private let now: @Sendable () -> ContinuousClock.Instant
  /// Told of every asking that failed: nil where the document was the failure.
  private let failed: @Sendable (HTTPFailure?) -> Void
  private let state: Mutex<State>

  package convenience init(
    _ url: HTTPURL, client: HTTPClient, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
    failed: @escaping @Sendable (HTTPFailure?) -> Void = { _ in }
  ) {
    self.init(url, client: client, rules: KeyCache.Rules(), longestFetch: .seconds(5), now: now, failed: failed)
  }

  /// `longestFetch` is the deadline of one asking, its retries included, and so of everybody's wait.
  init(
    _ url: HTTPURL, client: HTTPClient, rules: KeyCache.Rules, longestFetch: Duration,
    now: @escaping @Sendable () -> ContinuousClock.Instant, failed: @escaping @Sendable (HTTPFailure?) -> Void
  ) {
    var request = HTTPRequest(.get, url)
    request.headers = [("Accept", "application/json")]
    request.limits.total = longestFetch
    request.limits.connect = .seconds(2)
    request.limits.bodyBytes = KeySet.longestDocument
    request.limits.headerBytes = 16 << 10
    request.retries = HTTPRetries(upTo: 2)
    // Others wait for the answer. And whoever asks and hangs up would else begin one asking after the other.
    request.outlivesCaller = true
    self.request = request
    self.client = client
    self.now = now
    self.failed = failed
    state = Mutex(State(cache: KeyCache(rules: rules)))
  }

  /// Each turn of the loop follows a fetch that ended, after which the cooldown forbids another, so there are few.
  package func key(_ id: String) async -> Result<FoundKey, TokenRefusal> {
    while true {
      switch state.withLock({ $0.cache.next(id, now: now()) }) {
      case .use(let key): return .success(FoundKey(key: key))
      case .refuse(let reason): return .failure(reason)
      case .fetch: await fetch()
      case .wait: guard await hasWaited() else { return .failure(.noKeys) }
      }
      // Whoever was cancelled has brought its asking to an end for others, and wants nothing any more.
      if Task.isCancelled { return .failure(.noKeys) }
    }
  }

  private func fetch() async {
    let result: KeyCache.Result
    do throws(HTTPFailure) {
      let response = try await client.send(request)
      if response.status == 200, let keys = Self.read(response.body) {
        result = .keys(keys)
      } else {
        failed(nil)
        result = .failed
      }
    } catch {
      failed(error)
      result = .failed
    }
    let waiting = state.withLock { state in
      state.cache.end(result, now: now())
      defer { state.waiting = [] }
      return state.waiting
    }
    for sleeper in waiting { sleeper.resume(returning: true) }
  }

  private static func read(_ body: [UInt8]) -> KeySet? {
    do {
      return try KeySet(parsing: body.span)
    } catch {
      return nil
    }
  }

  /// Until whoever asks has an answer, which is at most a fetch's deadline away. False if too many wait already.
  private func hasWaited() async -> Bool {
    await withCheckedContinuation { continuation in
      let early = state.withLock { state -> Bool? in
        // Between the decision to wait and this line the answer may have come.
        guard state.cache.isFetching else { return true }
        guard state.waiting.count < Self.mostWaiting else { return false }
        state.waiting.append(continuation)
        return nil
      }
      if let early { continuation.resume(returning: early) }
    }
  }
}

// MARK: Keys that are known

/// For whoever publishes a document and believes it.
package struct KnownKeys: KeySource {
  private let keys: KeySet

  package init(_ keys: KeySet) { self.keys = keys }

  package func key(_ id: String) async -> Result<FoundKey, TokenRefusal> {
    keys.key(id).map { .success(FoundKey(key: $0)) } ?? .failure(.unknownKey)
  }
}

// MARK: A file

package final class KeySetFile: KeySource {
  package enum Problem: Error, Equatable, Sendable {
    case file(FileProblem)
    case document(KeySetProblem)
    /// Not one key in it that tokens could be signed with: a slip, where a file is concerned.
    case noKeys
  }

  private let path: String
  private let keys: Mutex<KeySet>

  package init(_ path: String) throws(Problem) {
    self.path = path
    keys = Mutex(try Self.read(path))
  }

  /// For SIGHUP. If it fails, the keys stay what they were.
  package func reload() throws(Problem) {
    let read = try Self.read(path)
    keys.withLock { $0 = read }
  }

  package func key(_ id: String) async -> Result<FoundKey, TokenRefusal> {
    keys.withLock { $0.key(id) }.map { .success(FoundKey(key: $0)) } ?? .failure(.unknownKey)
  }

  private static func read(_ path: String) throws(Problem) -> KeySet {
    let contents: WipedBytes
    do {
      contents = try PublicFile.read(path, limit: KeySet.longestDocument)
    } catch {
      throw .file(error)
    }
    let keys: KeySet
    do {
      keys = try KeySet(parsing: contents.bytes)
    } catch {
      throw .document(error)
    }
    guard keys.count > 0 else { throw .noKeys }
    return keys
  }
}
