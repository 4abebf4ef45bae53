// From evhttp's request to a handler's, and from its answer to evhttp's; and the answers that we write ourselves,
// because evhttp's own would be HTML.

import CLibevent
import COpenSSL
import Secrets

#if canImport(Glibc)
  import Glibc
#endif

extension Connection {
  /// evhttp has read a request that passed the gate.
  func handle(_ request: OpaquePointer) {
    unsafe self.request = request
    phase = .handling
    (startedAt, outcome, status) = (.now, .sent, 0)
    deadline = startedAt.adding(limits.handlerTime)
    currentID = loop.nextID()
    // evhttp would not learn that the client is gone before it writes; and must not be called with what comes next.
    unsafe bufferevent_setcb(
      bufferevent, nil, nil, { _, what, argument in unsafe Callbacks.connection(argument)?.peerEvent(what) }, argument)
    unsafe bufferevent_enable(bufferevent, Int16(EV_READ))
    if let tls = unsafe tls, peer.certificateSubject == nil, listener.settings.tls?.clientAuthorityFile != nil {
      peer.certificateSubject = unsafe TLSPeer.subject(unsafe tls)
    }
    let raw = unsafe read(unsafe request)
    bodyBytes = raw.body?.bytes.count ?? 0
    recount()
    mailbox.deliver(raw)
  }

  private func read(_ request: OpaquePointer) -> RawRequest {
    var headers = HTTPHeaders()
    var serviceKey: PresentedServiceKey?
    var keys = 0
    var next = unsafe evhttp_request_get_input_headers(request)?.pointee.tqh_first
    while let field = unsafe next {
      unsafe next = field.pointee.next.tqe_next
      guard let name = unsafe field.pointee.key, let value = unsafe field.pointee.value else { continue }
      if unsafe strcasecmp(name, "X-Service-Key") == 0 {
        let count = unsafe strlen(value)
        let bytes = unsafe Span<UInt8>(
          _unsafeStart: UnsafeRawPointer(value).assumingMemoryBound(to: UInt8.self), count: count)
        keys += 1
        serviceKey = PresentedServiceKey(WipedBytes(copying: bytes))
        unsafe explicit_bzero(value, count)
      } else {
        headers.add(unsafe String(cString: name), unsafe Self.trimmed(value))
      }
    }
    return RawRequest(
      method: gate.head.method, target: gate.head.target, headers: headers,
      // Two keys are none: which of them was meant is not ours to guess.
      serviceKey: keys == 1 ? serviceKey : nil, body: unsafe body(request), id: currentID, peer: peer)
  }

  /// evhttp leaves leading tabs.
  private static func trimmed(_ value: UnsafePointer<CChar>) -> String {
    var start = unsafe value
    while unsafe start.pointee == 0x20 || start.pointee == 0x09 { unsafe start += 1 }
    return unsafe String(cString: start)
  }

  /// Taken out of libevent's buffer, which wipes what it gives up: from here on there is one copy, with one owner.
  private func body(_ request: OpaquePointer) -> WipedBody? {
    guard let buffer = unsafe evhttp_request_get_input_buffer(request) else { return nil }
    let count = unsafe evbuffer_get_length(buffer)
    guard count > 0 else { return nil }
    var bytes = WipedBytes(capacity: count)
    bytes.resize(to: count)
    var room = bytes.mutableBytes
    let taken = unsafe room.withUnsafeMutableBytes { unsafe evbuffer_remove(buffer, $0.baseAddress, count) }
    bytes.resize(to: max(0, Int(taken)))
    return WipedBody(bytes)
  }

  // MARK: The handler's answer

  /// An answer that comes too late finds the request gone, and is dropped with its body.
  func send(_ response: HTTPResponse) {
    guard case .handling = phase, let request = unsafe request, let body = unsafe evbuffer_new() else { return }
    defer { unsafe evbuffer_free(body) }
    phase = .writing
    bodyBytes = response.body.count
    recount()
    status = response.status
    restartDeadline(limits.writeTime)
    let headers = unsafe evhttp_request_get_output_headers(request)
    for field in response.headers.fields { unsafe evhttp_add_header(headers, field.name, field.value) }
    if response.status >= 200, response.status != 204, response.status != 304 {
      unsafe evhttp_add_header(headers, "Content-Length", String(response.body.count))
      if gate.head.method != .head { unsafe append(response.body, to: body) }
    }
    closesAfterAnswer = closesAfterAnswer || loop.isDraining
    if closesAfterAnswer { unsafe evhttp_add_header(headers, "Connection", "close") }
    unsafe evhttp_request_set_on_complete_cb(
      request, { _, argument in unsafe Callbacks.connection(argument)?.answered() }, argument)
    unsafe evhttp_send_reply(request, Int32(response.status), nil, body)
    writeAtOnce()
  }

  /// evhttp would wait for epoll to say that the socket can be written, which it nearly always can. Writing now spares
  /// each answer two changes of what is waited for and a turn of the loop. Whatever the socket does not take, and every
  /// error, is left to the bufferevent; so is TLS, whose bytes are not ours to write.
  private func writeAtOnce() {
    guard unsafe tls == nil, let output = unsafe bufferevent_get_output(bufferevent) else { return }
    unsafe evbuffer_unfreeze(output, 1)
    unsafe evbuffer_write(output, bufferevent_getfd(bufferevent))
    unsafe evbuffer_freeze(output, 1)
    if unsafe evbuffer_get_length(output) == 0 { unsafe bufferevent_trigger(bufferevent, Int16(EV_WRITE), 0) }
  }

  /// A wiped body is not copied: libevent writes from where it lies, and lets go of it when the last byte is written or
  /// the connection ends.
  private func append(_ body: HTTPResponse.Body, to buffer: OpaquePointer) {
    switch body {
    case .bytes(let bytes): unsafe evbuffer_add(buffer, bytes, bytes.count)
    case .wiped(let wiped):
      guard wiped.bytes.count > 0 else { return }
      let owner = unsafe Unmanaged.passRetained(wiped)
      let added = unsafe Self.lend(wiped.bytes, to: buffer, owner: owner.toOpaque())
      if added != 0 { unsafe owner.release() }
    }
  }

  private static func lend(
    _ body: borrowing WipedBytes, to buffer: OpaquePointer, owner: UnsafeMutableRawPointer
  ) -> Int32 {
    unsafe body.bytes.withUnsafeBufferPointer { bytes in
      unsafe evbuffer_add_reference(
        buffer, bytes.baseAddress, bytes.count,
        { _, _, owner in
          guard let owner = unsafe owner else { return }
          unsafe Unmanaged<WipedBody>.fromOpaque(owner).release()
        }, owner)
    }
  }

  // MARK: Refusals

  /// From here on nothing that comes is looked at. The answer is written from the loop, not from within libevent's read.
  func refuse(_ refusal: Refusal) {
    listener.notify(.refused(listener.settings.name, refusal))
    phase = .refused
    unsafe evbuffer_drain(pending, evbuffer_get_length(pending))
    recount()
    loop.later(self, refusal: refusal)
  }

  func writeRefusal(_ refusal: Refusal) {
    guard case .refused = phase else { return }
    phase = .ending
    restartDeadline(limits.writeTime)
    unsafe bufferevent_setcb(
      bufferevent, nil, { _, argument in unsafe Callbacks.connection(argument)?.linger() },
      { _, what, argument in unsafe Callbacks.connection(argument)?.peerEvent(what) }, argument)
    let bytes = LastWords.bytes(refusal.problem, id: loop.nextID())
    unsafe evbuffer_add(bufferevent_get_output(bufferevent), bytes, bytes.count)
    unsafe bufferevent_enable(bufferevent, Int16(EV_READ | EV_WRITE))
  }

  /// One connection too many: told so as far as its socket takes it at once, and closed. Inside TLS there is nothing to
  /// say before a handshake.
  func turnAway() {
    if listener.settings.tls == nil {
      let bytes = LastWords.bytes(Refusal.tooManyConnections.problem, id: loop.nextID())
      _ = unsafe Glibc.send(
        bufferevent_getfd(bufferevent), bytes, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
    }
    abandon()
  }

  /// Closing while the client still sends would reset the connection, and the client would never read our answer.
  private func linger() {
    guard case .ending = phase else { return }
    phase = .lingering
    restartDeadline(LastWords.lingerTime)
    if let tls = unsafe tls { unsafe TLSPeer.close(unsafe tls) }
    shutdown(unsafe bufferevent_getfd(bufferevent), Int32(SHUT_WR))
  }
}

/// Answers that evhttp does not write.
enum LastWords {
  /// How long a refused client may go on sending before it is cut off.
  static let lingerTime = Duration.seconds(2)

  static func bytes(_ problem: Problem, id: String) -> [UInt8] {
    var response = problem.response
    HTTPRoutes.secure(&response, id: id)
    guard case .bytes(let body) = response.body else { return [] }
    var text = "HTTP/1.1 \(problem.status) \(reason(problem.status))\r\n"
    for field in response.headers.fields { text += "\(field.name): \(field.value)\r\n" }
    text += "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
    return Array(text.utf8) + body
  }

  private static func reason(_ status: Int) -> String {
    switch status {
    case 408: "Request Timeout"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 417: "Expectation Failed"
    case 431: "Request Header Fields Too Large"
    case 501: "Not Implemented"
    case 503: "Service Unavailable"
    case 505: "HTTP Version Not Supported"
    default: "Bad Request"
    }
  }
}
