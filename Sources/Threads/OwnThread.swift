// A thread of the system's, for what must never run on the cooperative threads, of which there is one per core: loops
// that wait in a C library, calls that block, and work that keeps a core busy.

#if canImport(Glibc)
  import Glibc
#endif

package enum OwnThread {
  private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// False when the system has no thread left; the work is then not done. Nobody waits for the thread's end. Without
  /// `stackBytes` its stack is the system's usual one.
  package static func start(stackBytes: Int? = nil, _ body: @escaping @Sendable () -> Void) -> Bool {
    var attributes = pthread_attr_t()
    guard unsafe pthread_attr_init(&attributes) == 0 else { return false }
    defer { unsafe pthread_attr_destroy(&attributes) }
    guard unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED)) == 0 else { return false }
    if let stackBytes, unsafe pthread_attr_setstacksize(&attributes, stackBytes) != 0 { return false }
    let work = unsafe Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let created = unsafe pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument = unsafe argument else { return nil }
        // Signals belong to the service's own thread for them; SIGPIPE would be a library's writing to a closed socket.
        var all = sigset_t()
        _ = unsafe sigfillset(&all)
        _ = unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
        unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
        return nil
      }, work.toOpaque())
    if created != 0 { unsafe work.release() }
    return created == 0
  }
}
