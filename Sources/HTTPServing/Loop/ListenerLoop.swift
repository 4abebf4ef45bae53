// One listener inside the loop: its evhttp, its accepting, and how many connections it holds.

import CLibevent
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// `@unchecked Sendable`: `settings` never changes and the TLS context is behind a lock; the rest belongs to the loop's
/// thread. `@safe`: evhttp and its listener are made and freed here.
@safe
final class ListenerLoop: @unchecked Sendable {
  unowned let loop: Loop
  let settings: HTTPListener
  private let notifier: HTTPObserver
  private let tls: Mutex<TLSContext?>
  private var socket: ListeningSocket?
  private var http: OpaquePointer?
  private var bound: OpaquePointer?
  private var accepting: OpaquePointer?
  /// Connections whose socket is open or whose handler has not ended.
  var occupied = 0
  /// Bytes of requests and answers that connections hold.
  var held = 0
  /// evhttp's own callbacks, which are the same for every connection.
  private var saved: SavedCallbacks?

  @safe
  private struct SavedCallbacks {
    let read: bufferevent_data_cb?
    let write: bufferevent_data_cb?
    let event: bufferevent_event_cb?
  }

  init(loop: Loop, settings: HTTPListener, socket: ListeningSocket, tls: TLSContext?, observer: HTTPObserver) {
    self.loop = loop
    self.settings = settings
    self.socket = socket
    self.tls = Mutex(tls)
    notifier = observer
  }

  func notify(_ event: HTTPObserver.Event) { notifier.notify(event) }

  /// Connections that are open keep the context they began with.
  func renew(_ context: TLSContext) { tls.withLock { $0 = context } }

  // MARK: Accepting

  func begin(_ base: OpaquePointer) {
    guard let socket, let http = unsafe evhttp_new(base),
      let accepting = unsafe evconnlistener_new(
        base, nil, nil, UInt32(LEV_OPT_CLOSE_ON_EXEC), 0, socket.descriptor)
    else { fatalError("mandate: no memory is left for a listener") }
    unsafe self.http = http
    unsafe self.accepting = accepting
    let limits = settings.limits
    // The gate has refused what is larger long before evhttp would, whose answers are HTML.
    unsafe evhttp_set_max_headers_size(http, 2 * limits.headBytes)
    unsafe evhttp_set_max_body_size(http, 2 * limits.largestBodyBytes + limits.headBytes)
    unsafe evhttp_set_default_content_type(http, nil)
    let methods = [
      EVHTTP_REQ_GET, EVHTTP_REQ_POST, EVHTTP_REQ_HEAD, EVHTTP_REQ_PUT, EVHTTP_REQ_DELETE, EVHTTP_REQ_OPTIONS,
      EVHTTP_REQ_PATCH,
    ]
    unsafe evhttp_set_allowed_methods(http, methods.reduce(0) { $0 | UInt16($1.rawValue) })
    let argument = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe evhttp_set_bevcb(http, { _, argument in unsafe Callbacks.listener(argument)?.accepted() }, argument)
    unsafe evhttp_set_gencb(
      http,
      { request, argument in
        guard let request = unsafe request else { return }
        unsafe Callbacks.listener(argument)?.read(unsafe request)
      }, argument)
    unsafe bound = evhttp_bind_listener(http, accepting)
    // Out of descriptors, most likely. Level-triggered as it is, the loop would spin: it looks again at the next tick.
    unsafe evconnlistener_set_error_cb(accepting) { accepting, _ in unsafe evconnlistener_disable(accepting) }
  }

  /// evhttp asks for the bufferevent of a connection that it has just accepted. Nil would make it take one of its own,
  /// past the gate and past TLS.
  private func accepted() -> OpaquePointer? {
    occupied += 1
    var isUnwanted = occupied > settings.limits.connections || loop.isDraining
    if isUnwanted, !loop.isDraining { notify(.refused(settings.name, .tooManyConnections)) }
    var session: OpaquePointer?
    if settings.tls != nil, !isUnwanted {
      unsafe session = tls.withLock { $0 }?.newConnection()
      isUnwanted = unsafe session == nil
    }
    let options = Int32(BEV_OPT_CLOSE_ON_FREE.rawValue)
    let made =
      if let session = unsafe session {
        unsafe bufferevent_openssl_socket_new(loop.base, -1, session, BUFFEREVENT_SSL_ACCEPTING, options)
      } else {
        unsafe bufferevent_socket_new(loop.base, -1, options)
      }
    guard let bufferevent = unsafe made,
      let connection = unsafe Connection(
        listener: self, bufferevent: bufferevent, tls: session, isUnwanted: isUnwanted)
    else { fatalError("mandate: no memory is left for a connection") }
    if unsafe session != nil { unsafe bufferevent_openssl_set_allow_dirty_shutdown(bufferevent, 1) }
    loop.welcome(connection)
    return unsafe bufferevent
  }

  private func read(_ request: OpaquePointer) {
    guard let connection = unsafe evhttp_request_get_connection(request) else { return }
    unsafe loop.connection(of: connection)?.handle(request)
  }

  /// Takes up accepting again after a failure; does nothing otherwise.
  func tick() {
    if let accepting = unsafe accepting { unsafe evconnlistener_enable(accepting) }
  }

  func stopAccepting() {
    guard let http = unsafe http, let bound = unsafe bound else { return }
    unsafe evhttp_del_accept_socket(http, bound)
    unsafe (self.bound, accepting, socket) = (nil, nil, nil)
  }

  func end() {
    stopAccepting()
    if let http = unsafe http { unsafe evhttp_free(http) }
    unsafe http = nil
  }

  // MARK: evhttp's callbacks

  func saveCallbacks(of connection: Connection) {
    guard saved == nil else { return }
    var (read, write): (bufferevent_data_cb?, bufferevent_data_cb?) = (nil, nil)
    var event: bufferevent_event_cb?
    unsafe bufferevent_getcb(connection.bufferevent, &read, &write, &event, nil)
    unsafe saved = SavedCallbacks(read: read, write: write, event: event)
  }

  func restoreCallbacks(of connection: Connection) {
    guard let saved, let argument = unsafe connection.connection else { return }
    unsafe bufferevent_setcb(
      connection.bufferevent, saved.read, saved.write, saved.event, UnsafeMutableRawPointer(argument))
  }
}
