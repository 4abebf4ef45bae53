// One log line per request, by its pattern and never its path, without the caller's address: whose mission it is may be
// in a path, and where somebody is has no place in a log that many read. The door's thread only puts the record aside,
// because a log that cannot be written would otherwise hold up every connection.

import HTTPServing
import ServiceRuntime

struct RequestLog: Sendable {
  private let log: Log
  private let records: AsyncStream<HTTPObserver.RequestRecord>
  private let into: AsyncStream<HTTPObserver.RequestRecord>.Continuation

  /// Records that may wait. More are dropped, and counted as lost lines.
  private static let mostWaiting = 4_096

  init(_ log: Log) {
    self.log = log
    (records, into) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.mostWaiting))
  }

  func note(_ event: HTTPObserver.Event) {
    guard case .finished(let record) = event else { return }
    if case .dropped = into.yield(record) { log.countLostLine() }
  }

  /// Writes until the end is told, and all that came before it.
  func run() async {
    for await record in records { write(record) }
  }

  func end() { into.finish() }

  /// Asked every few seconds by whoever watches; a line each would bury the others.
  private static let watched: Set<String> = ["/health", "/ready", "/metrics"]

  private func write(_ record: HTTPObserver.RequestRecord) {
    var log = log
    if let trace = record.traceParent { log = log.adding([.traceId: .id(trace.traceID)]) }
    let fields: KeyValuePairs<LogKey, LogValue> = [
      .requestId: .id(record.id), .listener: .reason(record.listener), .method: .reason(record.method),
      .route: .name(record.route), .status: .count(record.status), .reason: .reason(record.outcome),
      .took: .took(record.duration),
    ]
    if record.status >= 500, record.status != 503 {
      log.error("A request failed.", fields)
    } else if Self.watched.contains(record.route), record.status < 400 {
      log.debug("A request was answered.", fields)
    } else {
      log.info("A request was answered.", fields)
    }
  }
}
