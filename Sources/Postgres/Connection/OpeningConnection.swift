// A connection on its way up, for the thread that brings it up. It is closed when it ends, unless it became a `Wire`.

import CPostgres

#if canImport(Glibc)
  import Glibc
#endif

/// `@safe`: the sole owner of a PGconn until it hands it on; the pointer does not leave otherwise.
@safe
struct OpeningConnection: ~Copyable {
  /// How often an attempt looks whether somebody still waits for it.
  private static let attention = Duration.milliseconds(100)

  private let pointer: OpaquePointer

  /// Resolves the name, which blocks, and begins. Nil when libpq has no memory.
  init?(_ configuration: ConnectionConfiguration) {
    guard let pointer = unsafe Self.start(configuration) else { return nil }
    unsafe self.pointer = pointer
  }

  deinit { unsafe PQfinish(pointer) }

  /// Hands it on. Nil when its socket can't be watched; it is closed then.
  consuming func wire(_ configuration: ConnectionConfiguration) -> Wire? {
    let handed = unsafe pointer
    discard self
    return unsafe Wire(taking: handed, configuration: configuration)
  }

  /// Connects, agrees on TLS and logs in.
  func finish(deadline: Deadline, wanted: () -> Bool) throws(PostgresError) {
    unsafe mandate_silence_notices(pointer)
    // An error's text is then its state alone; a result's fields are not affected.
    unsafe PQsetErrorVerbosity(pointer, PQERRORS_SQLSTATE)
    guard unsafe PQstatus(pointer) != CONNECTION_BAD else { throw failure(phase: CONNECTION_BAD) }
    var next = PGRES_POLLING_WRITING
    while next != PGRES_POLLING_OK {
      let phase = unsafe PQstatus(pointer)
      let events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT
      var ready = false
      while !ready {
        guard wanted() else { throw .cancelled }
        guard !deadline.hasPassed else { throw .deadline }
        let slice = deadline.earlier(of: .after(Self.attention))
        ready = unsafe WireSocket.ready(PQsocket(pointer), for: Int16(events), until: slice)
      }
      next = unsafe PQconnectPoll(pointer)
      guard next != PGRES_POLLING_FAILED else { throw failure(phase: phase) }
    }
  }

  /// What must hold before the first statement.
  func prepare() throws(PostgresError) {
    func parameter(_ name: String) -> String? {
      guard let value = unsafe PQparameterStatus(pointer, name) else { return nil }
      return unsafe String(cString: value)
    }
    guard unsafe PQserverVersion(pointer) >= WireLimits.oldestServer, parameter("client_encoding") == "UTF8",
      parameter("integer_datetimes") == "on", parameter("standard_conforming_strings") == "on"
    else { throw .protocolViolation(.unsupportedServer) }
    guard unsafe PQsetnonblocking(pointer, 1) == 0, unsafe PQenterPipelineMode(pointer) == 1 else {
      throw .protocolViolation(.refusedByLibrary)
    }
  }

  private func failure(phase: ConnStatusType) -> PostgresError {
    let message = unsafe PQerrorMessage(pointer).map { unsafe String(cString: $0) } ?? ""
    let reason: ConnectFailure.Reason =
      if let state = ConnectFailure.state(in: message) {
        .refused(state)
      } else if unsafe PQconnectionNeedsPassword(pointer) != 0 {
        .passwordMissing
      } else if ConnectFailure.isTLS(message, duringHandshake: phase == CONNECTION_SSL_STARTUP) {
        .tls
      } else {
        .network
      }
    return .unreachable(ConnectFailure(reason: reason, detail: ConnectFailure.printable(message)))
  }

  private static func start(_ configuration: ConnectionConfiguration) -> OpaquePointer? {
    unsafe CStrings.with(configuration.parameters.map(\.keyword)) { keywords in
      unsafe CStrings.with(configuration.parameters.map(\.value)) { values in
        guard let password = configuration.password else { return unsafe PQconnectStartParams(keywords, values, 0) }
        return unsafe password.withCString { secret in
          unsafe "password".withCString { keyword in
            var allKeywords =
              unsafe [keyword] + UnsafeBufferPointer(start: keywords, count: configuration.parameters.count)
            var allValues = unsafe [secret] + UnsafeBufferPointer(start: values, count: configuration.parameters.count)
            unsafe allKeywords.append(nil)
            unsafe allValues.append(nil)
            return unsafe PQconnectStartParams(allKeywords, allValues, 0)
          }
        }
      }
    }
  }
}

/// A null-terminated array of C strings, for the length of a call.
private enum CStrings {
  static func with<Value>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Value
  ) -> Value {
    var copies = unsafe strings.map { unsafe UnsafePointer<CChar>(strdup($0)) }
    unsafe copies.append(nil)
    defer { unsafe copies.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
    return unsafe body(copies)
  }
}
