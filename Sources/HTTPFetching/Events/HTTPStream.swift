// An answer that is read while it comes. Whoever drops it ends the transfer.

package final class HTTPStream: Sendable {
  private let transfer: Transfer
  private let buffer: StreamBuffer
  private let client: HTTPClient

  init(_ transfer: Transfer, _ buffer: StreamBuffer, of client: HTTPClient) {
    self.transfer = transfer
    self.buffer = buffer
    self.client = client
  }

  deinit { client.cancel(transfer) }

  package func cancel() { client.cancel(transfer) }

  /// Known to everybody who gets a stream from `HTTPClient.stream`.
  private var head: ResponseHead { buffer.knownHead ?? ResponseHead() }
  package var status: Int { head.status }
  package var headers: HTTPHeaders { head.headers }

  // A cancelled reader ends the transfer, and the end of the transfer wakes the reader.

  func begin() async throws(HTTPFailure) -> StreamBuffer.Beginning {
    try await withTaskCancellationHandler(
      operation: { await buffer.beginning() }, onCancel: { client.cancel(transfer) }
    ).get()
  }

  /// The next bytes, at most 64 KiB; nil at the end of a whole answer. One reader at a time.
  package func next() async throws(HTTPFailure) -> [UInt8]? {
    let part = try await withTaskCancellationHandler(
      operation: { await buffer.next() }, onCancel: { client.cancel(transfer) }
    ).get()
    if let part, part.wasPaused { client.unpause(transfer) }
    return part?.bytes
  }

  /// The rest as a whole, for an answer that turns out to be an error's short text. The request's cap holds.
  package func collect() async throws(HTTPFailure) -> [UInt8] {
    var whole: [UInt8] = []
    while let part = try await next() { whole += part }
    return whole
  }
}
