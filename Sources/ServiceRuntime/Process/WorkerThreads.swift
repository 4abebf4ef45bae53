// Threads of our own for work that keeps a core busy: a handful of RSA operations on the cooperative threads, of which
// there is one per core, would hold up every connection of the process.
//
// Whole tasks can run here too, and then what keeps a core busy needs no hand-over to another thread and back, each of
// which costs a waking: 50 to 100 µs on a machine that has nothing else to do. Steps of tasks pass the jobs that wait,
// because they are short and others wait for them.

import Glibc
import Synchronization
import Threads

/// The threads begin with the first job and end with this value. Jobs are begun in the order in which they came.
///
/// `@safe`: the lock and the condition are allocated once, used through this class alone, and freed after the last
/// thread has left, because every thread holds on to the line it waits in.
package final class WorkerThreads: Sendable {
  private let line: Line
  private let count: Int
  private let isStarted = Mutex(false)

  package init(count: Int) {
    precondition(count > 0, "work needs a thread")
    self.count = count
    line = Line()
  }

  deinit { line.close() }

  /// As many as the machine has cores.
  package static var cores: Int { max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1) }

  /// The job runs to its end whatever becomes of the caller.
  package func run<Value>(_ job: @escaping @Sendable () -> sending Value) async -> sending Value {
    await withCheckedContinuation { continuation in
      let isTaken = start() && line.add(job: { continuation.resume(returning: job()) })
      // Without a thread to be had, slow is better than never.
      if !isTaken { continuation.resume(returning: job()) }
    }
  }

  /// The same at once, where the caller is on one of the threads already.
  package func runInPlace<Value>(_ job: @escaping @Sendable () -> sending Value) async -> sending Value {
    line.isServed(by: pthread_self()) ? job() : await run(job)
  }

  /// Begins the job when its turn comes, and does not wait for it.
  package func begin(_ job: @escaping @Sendable () -> Void) {
    let isTaken = start() && line.add(job: job)
    if !isTaken { job() }
  }

  private func start() -> Bool {
    isStarted.withLock { isStarted in
      if !isStarted {
        let line = line
        for _ in 0..<count where OwnThread.start({ line.serve() }) { isStarted = true }
      }
      return isStarted
    }
  }
}

extension WorkerThreads: TaskExecutor {
  package func enqueue(_ step: consuming ExecutorJob) {
    let step = UnownedJob(step)
    let executor = unsafe asUnownedTaskExecutor()
    // Run once: by a worker, or here where there is none.
    let isTaken = start() && line.add(step: { unsafe step.runSynchronously(on: executor) })
    if !isTaken { unsafe step.runSynchronously(on: executor) }
  }
}

/// What waits, and threads that wait for it.
@safe
private final class Line: Sendable {
  private struct State {
    var threads: Set<pthread_t> = []
    var steps = Queue()
    var jobs = Queue()
    var isClosed = false

    mutating func next() -> Queue.Work? { steps.next() ?? jobs.next() }
  }

  private struct Queue {
    typealias Work = @Sendable () -> Void
    private var waiting: [Work] = []
    /// What is before it is done; the list is cut when it is longer than what it holds.
    private var first = 0

    mutating func add(_ work: @escaping Work) { waiting.append(work) }

    mutating func next() -> Work? {
      guard first < waiting.count else { return nil }
      let work = waiting[first]
      first += 1
      if first == waiting.count || first > 1_024 {
        waiting.removeFirst(first)
        first = 0
      }
      return work
    }
  }

  nonisolated(unsafe) private let lock: UnsafeMutablePointer<pthread_mutex_t>
  nonisolated(unsafe) private let isWorthALook: UnsafeMutablePointer<pthread_cond_t>
  /// Touched under `lock` only.
  nonisolated(unsafe) private var state = State()

  init() {
    unsafe lock = .allocate(capacity: 1)
    unsafe isWorthALook = .allocate(capacity: 1)
    unsafe pthread_mutex_init(lock, nil)
    unsafe pthread_cond_init(isWorthALook, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(isWorthALook)
    unsafe pthread_mutex_destroy(lock)
    unsafe isWorthALook.deallocate()
    unsafe lock.deallocate()
  }

  /// False when the line is closed.
  func add(job: @escaping @Sendable () -> Void) -> Bool { add { $0.jobs.add(job) } }

  /// The same for what passes the jobs.
  func add(step: @escaping @Sendable () -> Void) -> Bool { add { $0.steps.add(step) } }

  private func add(_ change: (inout State) -> Void) -> Bool {
    unsafe pthread_mutex_lock(lock)
    let isOpen = unsafe !state.isClosed
    if isOpen { unsafe change(&state) }
    unsafe pthread_mutex_unlock(lock)
    // Whoever wakes finds the lock free.
    if isOpen { unsafe pthread_cond_signal(isWorthALook) }
    return isOpen
  }

  /// Threads end with the line, and until then nobody else can have their ids.
  func isServed(by thread: pthread_t) -> Bool {
    unsafe pthread_mutex_lock(lock)
    defer { unsafe pthread_mutex_unlock(lock) }
    return unsafe state.threads.contains(thread)
  }

  func close() {
    unsafe pthread_mutex_lock(lock)
    unsafe state.isClosed = true
    unsafe pthread_cond_broadcast(isWorthALook)
    unsafe pthread_mutex_unlock(lock)
  }

  /// Until the line is closed and empty.
  func serve() {
    unsafe pthread_mutex_lock(lock)
    unsafe state.threads.insert(pthread_self())
    unsafe pthread_mutex_unlock(lock)
    while let work = next() { work() }
  }

  private func next() -> (@Sendable () -> Void)? {
    unsafe pthread_mutex_lock(lock)
    defer { unsafe pthread_mutex_unlock(lock) }
    while true {
      if let work = unsafe state.next() { return work }
      if unsafe state.isClosed { return nil }
      unsafe pthread_cond_wait(isWorthALook, lock)
    }
  }
}
