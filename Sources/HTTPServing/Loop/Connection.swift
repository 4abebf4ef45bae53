// The loop's half of a connection: evhttp's connection and bufferevent, the gate before them, the deadline that runs,
// and what is to be done when something happens. Everything here runs on the loop's thread alone.

import CLibevent

#if canImport(Glibc)
  import Glibc
#endif

/// `@unchecked Sendable`: the task's half uses `mailbox`, `listener.settings` and `loop.post`, which are thread-safe;
/// everything else belongs to the loop's thread. `@safe`: evhttp owns what the pointers lead to and says in `closed`
/// when it ends; after that none of them is touched.
@safe
final class Connection: @unchecked Sendable {
  enum Phase {
    /// Accepted; evhttp has not been asked yet which connection this is.
    case new
    /// Bytes go to the gate, and what is whole to evhttp.
    case reading
    /// evhttp has a whole request in its input.
    case handed
    /// A handler works.
    case handling
    /// evhttp writes the answer.
    case writing
    /// Refused; whatever still comes is thrown away.
    case refused
    /// Our last words are being written, past evhttp.
    case ending
    /// They are; the client may still be sending, and would lose them if we closed at once.
    case lingering
    case closed
  }

  unowned let loop: Loop
  let listener: ListenerLoop
  let mailbox = Mailbox()
  let bufferevent: OpaquePointer
  /// OpenSSL's state of this connection, which the bufferevent owns.
  let tls: OpaquePointer?
  /// One too many, or without TLS where there should be: to be closed as soon as evhttp lets go of it.
  let isUnwanted: Bool

  var connection: OpaquePointer?
  var request: OpaquePointer?
  /// What has come and has not been handed to evhttp.
  let pending: OpaquePointer
  private var inputHook: OpaquePointer?
  var scanned = 0
  var gate: RequestGate
  var phase = Phase.new
  var deadline: Moment
  var isFirst = true
  var isFeeding = false
  var closesAfterAnswer = false
  var peer: HTTPRequest.Peer
  var interim = Interim.none

  /// `100 Continue`, which is written past evhttp while evhttp waits for the request.
  enum Interim {
    case none, wanted
    /// Being written; the request may be whole before that is done.
    case writing(whole: Int?)
    case done
  }

  /// The request's body, from when evhttp gives it away; then the answer's.
  var bodyBytes = 0
  /// What the listener counts for this connection.
  private var heldBytes = 0

  var status = 0
  var startedAt: Moment
  var currentID = ""
  var outcome = HTTPObserver.Outcome.sent
  var isServed = false

  init?(listener: ListenerLoop, bufferevent: OpaquePointer, tls: OpaquePointer?, isUnwanted: Bool) {
    guard let pending = unsafe evbuffer_new() else { return nil }
    unsafe self.pending = pending
    loop = listener.loop
    self.listener = listener
    unsafe self.bufferevent = bufferevent
    unsafe self.tls = tls
    self.isUnwanted = isUnwanted
    gate = RequestGate(limits: listener.settings.limits)
    peer = HTTPRequest.Peer(listener: listener.settings.name)
    startedAt = .now
    deadline = startedAt.adding(listener.settings.limits.headTime)
  }

  deinit { unsafe evbuffer_free(pending) }

  var limits: HTTPLimits { listener.settings.limits }
  var input: OpaquePointer? { unsafe bufferevent_get_input(bufferevent) }
  var argument: UnsafeMutableRawPointer { unsafe Unmanaged.passUnretained(self).toOpaque() }

  func restartDeadline(_ duration: Duration) { deadline = Moment.now.adding(duration) }

  /// Tells the listener what this connection holds now.
  func recount() {
    let held = unsafe phase == .closed ? 0 : evbuffer_get_length(pending) + bodyBytes
    listener.held += held - heldBytes
    heldBytes = held
  }

  // MARK: Beginning and end

  /// evhttp has made its connection by now. False when there is none.
  func adopt() -> Bool {
    var evhttpConnection: UnsafeMutableRawPointer?
    unsafe bufferevent_getcb(bufferevent, nil, nil, nil, &evhttpConnection)
    guard let found = unsafe evhttpConnection else { return false }
    let connection = OpaquePointer(found)
    unsafe self.connection = connection
    unsafe evhttp_connection_set_closecb(
      connection, { _, argument in unsafe Callbacks.connection(argument)?.closed() }, argument)
    unsafe inputHook = evbuffer_add_cb(
      input,
      { _, info, argument in
        guard let info = unsafe info, unsafe info.pointee.n_added > 0 else { return }
        unsafe Callbacks.connection(argument)?.inputArrived()
      }, argument)
    phase = .reading
    learnPeer()
    return true
  }

  private func learnPeer() {
    let descriptor = unsafe bufferevent_getfd(bufferevent)
    if case .unix = listener.settings.address {
      var uid: UInt32 = 0
      if unsafe mandate_peer_uid(descriptor, &uid) == 0 { peer.uid = uid }
      return
    }
    var (yes, size): (Int32, socklen_t) = (1, socklen_t(MemoryLayout<Int32>.size))
    unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, size)
    var six = sockaddr_in6()
    size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    peer.address = unsafe withUnsafeMutablePointer(to: &six) { pointer in
      let done = unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe getpeername(descriptor, $0, &size) == 0
      }
      guard done else { return nil }
      if unsafe pointer.pointee.sin6_family == sa_family_t(AF_INET6) {
        return IPAddress(unsafe pointer.pointee.sin6_addr)
      }
      return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        IPAddress(ipv4: UInt32(bigEndian: unsafe $0.pointee.sin_addr.s_addr))
      }
    }
  }

  /// Ends it, whatever it is doing. `closed` is called on the way.
  func abandon() {
    guard phase != .closed, let connection = unsafe connection else { return }
    unsafe evhttp_connection_free(connection)
  }

  /// evhttp lets go of everything. Nothing of it may be touched after this.
  func closed() {
    guard phase != .closed else { return }
    if let tls = unsafe tls, !isUnwanted, unsafe !TLSPeer.isHandshakeDone(unsafe tls) {
      listener.notify(.refused(listener.settings.name, .handshake))
    }
    if phase == .handling || phase == .writing { finish(outcome == .sent ? .lost : outcome) }
    phase = .closed
    recount()
    unsafe evbuffer_remove_cb_entry(input, inputHook)
    unsafe request = nil
    mailbox.close()
    loop.forget(self)
    unsafe connection = nil
  }

  /// Says what became of a request, once.
  func finish(_ outcome: HTTPObserver.Outcome) {
    let note = mailbox.note
    listener.notify(
      .finished(
        HTTPObserver.RequestRecord(
          listener: listener.settings.name, route: note?.route ?? HTTPRoutes.unmatched,
          method: note?.method ?? gate.head.method, status: status, duration: Moment.now.since(startedAt),
          id: note?.id ?? currentID, traceParent: note?.traceParent, client: note?.client ?? peer.address,
          outcome: outcome)))
  }

  // MARK: Time

  /// The deadline of the phase has passed.
  func expire() {
    switch phase {
    case .reading:
      let isSilent = gate.progress == .idle
      if isSilent { abandon() } else { refuse(.timeout) }
    case .handling:
      outcome = .overdue
      closesAfterAnswer = true
      var response = HTTPResponse.problem(.handlerDeadline)
      HTTPRoutes.secure(&response, id: mailbox.note?.id ?? currentID)
      send(response)
      mailbox.close()
    case .new, .handed, .writing, .refused, .ending, .lingering: abandon()
    case .closed: break
    }
  }

  /// Nothing of a request has come; what is draining may close it.
  var isIdle: Bool {
    if case .reading = phase { return unsafe gate.progress == .idle && evbuffer_get_length(pending) == 0 }
    return false
  }
}
