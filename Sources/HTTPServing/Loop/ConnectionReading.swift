// From bytes to a whole request in evhttp's hands. libevent calls in as soon as it has put bytes into the input buffer
// and before evhttp may look at them; what is not a whole request, or comes after one, is moved out of its sight.

import CLibevent

#if canImport(Glibc)
  import Glibc
#endif

extension Connection {
  func inputArrived() {
    // What we ourselves put in.
    guard !isFeeding, let input = unsafe input else { return }
    switch phase {
    case .reading: unsafe take(input)
    case .handed, .handling, .writing: unsafe keepAhead(input)
    case .new, .refused, .ending, .lingering, .closed: unsafe evbuffer_drain(input, evbuffer_get_length(input))
    }
    recount()
  }

  private func take(_ input: OpaquePointer) {
    let before = gate.progress
    if unsafe evbuffer_get_length(pending) == 0 {
      // The common case: one read, one request. It stays where it is, and evhttp reads it next.
      let verdict = unsafe scan(input)
      if case .whole(let count) = verdict, unsafe count == evbuffer_get_length(input), canHandOver { return begin() }
      unsafe InputBuffer.move(input, to: pending)
      return act(on: verdict, before: before)
    }
    unsafe InputBuffer.move(input, to: pending)
    act(on: unsafe scan(pending), before: before)
  }

  private var canHandOver: Bool { if case .writing = interim { false } else { true } }

  enum Verdict {
    case more
    case whole(Int)
    case refused(Refusal)
  }

  /// Shows the gate what it has not seen yet.
  private func scan(_ buffer: OpaquePointer) -> Verdict {
    while true {
      var place = unsafe evbuffer_ptr()
      guard unsafe scanned < evbuffer_get_length(buffer),
        unsafe evbuffer_ptr_set(buffer, &place, scanned, EVBUFFER_PTR_SET) == 0
      else { return .more }
      var extent = unsafe iovec()
      guard unsafe evbuffer_peek(buffer, -1, &place, &extent, 1) > 0, unsafe extent.iov_len > 0,
        let start = unsafe extent.iov_base
      else { return .more }
      let bytes = unsafe Span<UInt8>(
        _unsafeStart: start.assumingMemoryBound(to: UInt8.self), count: Int(extent.iov_len))
      let (consumed, step) = gate.read(bytes) { head in
        listener.settings.routes.bodyLimit(head, otherwise: limits.bodyBytes)
      }
      scanned += consumed
      switch step {
      case .more: continue
      case .whole: return .whole(scanned)
      case .refused(let refusal): return .refused(refusal)
      }
    }
  }

  private func act(on verdict: Verdict, before: RequestGate.Progress) {
    switch verdict {
    case .refused(let refusal): refuse(refusal)
    case .whole(let count):
      if case .writing = interim { interim = .writing(whole: count) } else { feed(count) }
    case .more:
      recount()
      // What is whole is taken all the same: its bytes are here, and health is asked for in a single read.
      if gate.progress == .body, listener.held > limits.heldBytes { return refuse(.noRoom) }
      if before == .idle, gate.progress != .idle, !isFirst { restartDeadline(limits.headTime) }
      if before != .body, gate.progress == .body {
        restartDeadline(limits.bodyTime)
        if gate.head.expectsContinue, case .none = interim {
          interim = .wanted
          loop.later(self)
        }
      }
    }
  }

  /// Puts a whole request into evhttp's input; whoever called makes evhttp read it.
  func feed(_ count: Int) {
    guard let input = unsafe input else { return }
    isFeeding = true
    // bufferevents freeze the end of their input while they do not read.
    unsafe evbuffer_unfreeze(input, 0)
    unsafe evbuffer_remove_buffer(pending, input, count)
    isFeeding = false
    begin()
  }

  private func begin() {
    phase = .handed
    scanned = 0
    isFirst = false
    closesAfterAnswer = closesAfterAnswer || gate.head.asksToClose
    restartDeadline(limits.headTime)
  }

  /// Pipelined requests wait for their turn, up to a limit.
  private func keepAhead(_ input: OpaquePointer) {
    unsafe InputBuffer.move(input, to: pending)
    guard unsafe evbuffer_get_length(pending) > limits.aheadBytes else { return }
    unsafe evbuffer_drain(pending, evbuffer_get_length(pending))
    if !closesAfterAnswer { listener.notify(.refused(listener.settings.name, .sentAhead)) }
    closesAfterAnswer = true
  }

  /// The answer has been written; evhttp is about to read the next request, or to close.
  func answered() {
    finish(outcome)
    unsafe request = nil
    gate.next()
    (scanned, interim, bodyBytes) = (0, .none, 0)
    phase = .reading
    recount()
    // An answer that was under way when the drain began has not told the client to close; the next tick does it.
    restartDeadline(loop.isDraining ? .zero : limits.idleTime)
    guard !closesAfterAnswer, unsafe evbuffer_get_length(pending) > 0 else { return }
    restartDeadline(limits.headTime)
    act(on: unsafe scan(pending), before: .head)
  }

  // MARK: 100 Continue

  /// evhttp would send it when it sees the headers, but it sees them only with the body. While this is written, evhttp's
  /// callbacks are put aside: it would take the end of the write for the end of its last answer.
  func sendInterim() {
    guard case .reading = phase, case .wanted = interim, let connection = unsafe connection else { return }
    interim = .writing(whole: nil)
    _ = unsafe connection
    listener.saveCallbacks(of: self)
    unsafe bufferevent_setcb(
      bufferevent, nil, { _, argument in unsafe Callbacks.connection(argument)?.interimSent() },
      { _, what, argument in unsafe Callbacks.connection(argument)?.peerEvent(what) }, argument)
    let text: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"
    unsafe evbuffer_add(bufferevent_get_output(bufferevent), text.utf8Start, text.utf8CodeUnitCount)
    unsafe bufferevent_enable(bufferevent, Int16(EV_WRITE))
  }

  private func interimSent() {
    guard case .writing(let whole) = interim, case .reading = phase else { return }
    interim = .done
    unsafe bufferevent_disable(bufferevent, Int16(EV_WRITE))
    listener.restoreCallbacks(of: self)
    guard let whole else { return }
    feed(whole)
    unsafe bufferevent_trigger(bufferevent, Int16(EV_READ), 0)
  }

  /// The client is gone, or its connection broken, while evhttp is not listening.
  func peerEvent(_ what: Int16) {
    let end = Int16(truncatingIfNeeded: BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)
    if what & end != 0 { abandon() }
  }
}

enum InputBuffer {
  /// libevent reads into a chain of its own, of at least 1 KiB, however little has come. What is less than this is
  /// copied to where the rest lies: a body that comes byte by byte would else be held a thousand times over, and no
  /// limit would see it.
  static let leastMoved = 2_048

  static func move(_ input: OpaquePointer, to pending: OpaquePointer) {
    let count = unsafe evbuffer_get_length(input)
    guard count < leastMoved else {
      unsafe evbuffer_add_buffer(pending, input)
      return
    }
    unsafe withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { bytes in
      let taken = unsafe evbuffer_remove(input, bytes.baseAddress, count)
      if taken > 0 { unsafe evbuffer_add(pending, bytes.baseAddress, Int(taken)) }
    }
  }
}
