// One attempt: a libcurl handle, what has come so far, and who waits for it. libcurl calls its functions on the
// engine's thread; nobody else touches it until it has ended.

import CCurl
import Secrets

/// `@unchecked Sendable`: made by one task, handed to the engine's thread with the command that starts it, and read by
/// the task again after the engine has said that it ended.
@safe
final class Transfer: @unchecked Sendable {
  enum Sink {
    case collected
    case wiped
    case streamed(StreamBuffer)
  }

  let handle: EasyHandle
  private let request: HTTPRequest
  private let sink: Sink
  private let remaining: Duration?

  private(set) var head = ResponseHead()
  private(set) var body: [UInt8] = []
  private var wiped = WipedBytes()
  private var bodyBytes = 0
  /// Why a function of ours told libcurl to stop.
  private var refusal: HTTPFailure?
  private var sendings = 0
  /// How it ended; nil as a failure is an answer.
  private(set) var failure: HTTPFailure?
  private(set) var hasEnded = false
  /// What the server asked for, and where it redirects to.
  private(set) var retryAfter = Duration.zero
  private(set) var redirect: String?
  private var waiting: UnsafeContinuation<Void, Never>?

  init(
    _ request: HTTPRequest, _ configuration: HTTPConfiguration, remaining: Duration?, sink: Sink
  ) throws(HTTPFailure) {
    handle = try EasyHandle()
    self.request = request
    self.sink = sink
    self.remaining = remaining
    unsafe waiting = nil
    try handle.apply(request, configuration, remaining: remaining)
    let context = unsafe UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque())
    unsafe handle.set(CURLOPT_WRITEFUNCTION, receiver: receiveBody)
    unsafe handle.set(CURLOPT_WRITEDATA, pointer: context)
    unsafe handle.set(CURLOPT_HEADERFUNCTION, receiver: receiveHeader)
    unsafe handle.set(CURLOPT_HEADERDATA, pointer: context)
    unsafe handle.set(CURLOPT_PREREQFUNCTION, gate: aboutToSend)
    unsafe handle.set(CURLOPT_PREREQDATA, pointer: context)
    try handle.seal()
  }

  func takeWiped() -> WipedBytes {
    var taken = WipedBytes()
    swap(&taken, &wiped)
    return taken
  }

  // MARK: Who waits

  /// Before the engine knows of the transfer.
  func willResume(_ continuation: UnsafeContinuation<Void, Never>) { unsafe waiting = unsafe continuation }

  /// On the engine's thread, once.
  func end(with failure: HTTPFailure?) {
    precondition(!hasEnded, "a transfer ends once")
    hasEnded = true
    self.failure = failure
    if failure == nil { redirect = handle.text(CURLINFO_REDIRECT_URL) }
    handle.close()
    if case .streamed(let buffer) = sink { buffer.end(with: failure) }
    let sleeper = unsafe waiting
    unsafe waiting = nil
    unsafe sleeper?.resume()
  }

  // MARK: What libcurl calls

  fileprivate func receive(header line: Span<UInt8>) -> Bool {
    do throws(HTTPFailure) {
      guard try head.take(line, limit: request.limits.headerBytes) == .complete else { return true }
      if request.method != .head, let length = head.contentLength, length > request.limits.bodyBytes {
        throw .bodyTooLarge
      }
      retryAfter = .seconds(handle.size(CURLINFO_RETRY_AFTER))
      if case .streamed(let buffer) = sink { buffer.begin(head, retryAfter: retryAfter) }
      return true
    } catch {
      refusal = error
      return false
    }
  }

  /// How many bytes were taken; libcurl stops if it is not all of them.
  fileprivate func receive(body part: Span<UInt8>) -> Int {
    guard head.isComplete else {
      refusal = .malformedResponse
      return 0
    }
    guard part.count <= request.limits.bodyBytes - bodyBytes else {
      refusal = .bodyTooLarge
      return 0
    }
    switch sink {
    case .collected: unsafe part.withBytes { unsafe body.append(contentsOf: $0) }
    case .wiped: wiped.append(part)
    case .streamed(let buffer): guard buffer.append(part) else { return mandate_curl_pause }
    }
    bodyBytes += part.count
    return part.count
  }

  /// libcurl sends again by itself when a kept connection turns out to be dead. A server may have closed it after it
  /// did what it was asked, so only what is idempotent may go out twice.
  fileprivate func maySend() -> Bool {
    sendings += 1
    guard sendings == 1 || (sendings == 2 && request.isIdempotent) else {
      refusal = .interrupted
      return false
    }
    return true
  }

  // MARK: What it came to

  func failure(for code: CURLcode) -> HTTPFailure? {
    if let refusal { return refusal }
    switch code {
    case CURLE_OK: return head.isComplete ? nil : .interrupted
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT: return .unreachable
    case CURLE_OPERATION_TIMEDOUT: return lateness
    case CURLE_SSL_CONNECT_ERROR: return .tlsFailed
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS: return .untrusted
    case CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM: return .trustFilesUnusable
    case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE: return .interrupted
    case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING: return .malformedResponse
    // libcurl keeps a header line up to 100 KiB together before it shows it to us.
    case CURLE_OUT_OF_MEMORY: return head.isComplete ? .broken("libcurl has no memory left") : .headerTooLarge
    case CURLE_URL_MALFORMAT: return .invalidRequest("libcurl refuses the URL")
    default: return .broken("libcurl failed in a way that this door does not know")
    }
  }

  /// Which of the three clocks ran out; libcurl says the same of all.
  private var lateness: HTTPFailure {
    // In microseconds. The clocks are read a moment apart, so a few milliseconds are forgiven.
    let spent = handle.size(CURLINFO_TOTAL_TIME_T)
    if let remaining, spent + 5_000 >= Int(remaining.milliseconds) * 1_000 { return .deadlinePassed }
    return sendings == 0 ? .connectTimedOut : .tooSlow
  }
}

// MARK: Functions with C's calling convention

private func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
  guard let context = unsafe context else { return nil }
  return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
}

private func span<Result>(
  _ start: UnsafeMutablePointer<CChar>?, _ count: Int, _ body: (Span<UInt8>) -> Result
) -> Result {
  let raw = unsafe UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
  return unsafe raw.withMemoryRebound(to: UInt8.self) { unsafe body($0.span) }
}

private let receiveHeader: mandate_curl_receiver = { start, size, count, context in
  guard let transfer = unsafe transfer(context) else { return 0 }
  return unsafe span(start, size * count) { transfer.receive(header: $0) ? $0.count : 0 }
}

private let receiveBody: mandate_curl_receiver = { start, size, count, context in
  guard let transfer = unsafe transfer(context) else { return 0 }
  return unsafe span(start, size * count) { transfer.receive(body: $0) }
}

private let aboutToSend: mandate_curl_gate = { context, _, _, _, _ in
  unsafe transfer(context)?.maySend() == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

extension Span<UInt8> {
  func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    unsafe withUnsafeBufferPointer { unsafe body($0) }
  }
}
