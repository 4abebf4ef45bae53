// The same loop on several threads at once; the rates add up.

import Glibc
import Synchronization

enum Threads {
  static func rate(_ count: Int, _ body: @escaping @Sendable () -> Double) -> Double {
    let total = Total(body)
    var threads: [pthread_t] = []
    for _ in 0..<count {
      var thread = pthread_t()
      let started = unsafe pthread_create(
        &thread, nil,
        { argument in
          guard let argument = unsafe argument else { return nil }
          unsafe Unmanaged<Total>.fromOpaque(argument).takeUnretainedValue().run()
          return nil
        }, Unmanaged.passUnretained(total).toOpaque())
      precondition(started == 0, "the machine gave no thread")
      threads.append(thread)
    }
    for thread in threads { pthread_join(thread, nil) }
    return total.sum
  }
}

private final class Total: Sendable {
  private let body: @Sendable () -> Double
  private let rates = Mutex<[Double]>([])

  init(_ body: @escaping @Sendable () -> Double) { self.body = body }

  func run() {
    let rate = body()
    rates.withLock { $0.append(rate) }
  }

  var sum: Double { rates.withLock { $0.reduce(0, +) } }
}
