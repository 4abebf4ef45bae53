// A value behind a lock. The standard library's Mutex would do, but on Linux it takes a contended lock inside a library
// that ThreadSanitizer does not see, which then reports races in correct programs; with pthread's, which it knows, its
// silence about this target means something.

#if canImport(Glibc)
  import Glibc
#endif

/// `@safe`, `@unchecked Sendable`: the value is reached only while the lock is held, and the lock is freed with it.
@safe
final class Guarded<Value: Sendable>: @unchecked Sendable {
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private var value: Value

  init(_ value: Value) {
    self.value = value
    unsafe lock = .allocate(capacity: 1)
    unsafe lock.initialize(to: pthread_mutex_t())
    guard unsafe pthread_mutex_init(lock, nil) == 0 else { preconditionFailure("a lock could not be made") }
  }

  deinit {
    unsafe pthread_mutex_destroy(lock)
    unsafe lock.deallocate()
  }

  /// The closure must not wait, and not take another lock of this target.
  func withLock<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure) -> Result {
    unsafe pthread_mutex_lock(lock)
    defer { unsafe pthread_mutex_unlock(lock) }
    return try body(&value)
  }
}
