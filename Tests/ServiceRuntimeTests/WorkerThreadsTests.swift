// Work that keeps cores busy has threads of its own: as many as were asked for, and every job is done once.

import Glibc
import Synchronization
import Testing

@testable import ServiceRuntime

@Suite("Worker threads")
struct WorkerThreadsTests {
  @Test("Every job is done once and answers its own caller")
  func all() async {
    let workers = WorkerThreads(count: 3)
    let tally = Tally()
    let answers = await withTaskGroup(of: (Int, Int).self) { group in
      for number in 0..<2_000 {
        group.addTask {
          let answer = await workers.run {
            tally.now.add(1, ordering: .sequentiallyConsistent)
            return number * 2
          }
          return (number, answer)
        }
      }
      return await group.reduce(into: [Int: Int]()) { $0[$1.0] = $1.1 }
    }
    #expect(answers.count == 2_000 && answers.allSatisfy { $0.value == $0.key * 2 })
    #expect(tally.now.load(ordering: .sequentiallyConsistent) == 2_000)
  }

  private final class Tally: Sendable {
    let now = Atomic(0)
    let most = Atomic(0)
  }

  @Test("No more jobs run at once than there are threads")
  func bounded() async {
    let workers = WorkerThreads(count: 2)
    let tally = Tally()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<200 {
        group.addTask {
          await workers.run {
            let count = tally.now.add(1, ordering: .sequentiallyConsistent).newValue
            tally.most.max(count, ordering: .sequentiallyConsistent)
            for _ in 0..<2_000 { _ = tally.now.load(ordering: .sequentiallyConsistent) }
            tally.now.subtract(1, ordering: .sequentiallyConsistent)
          }
        }
      }
    }
    #expect((1...2).contains(tally.most.load(ordering: .sequentiallyConsistent)))
  }

  @Test("A job is done to its end even where its threads' owner goes with it")
  func ending() async {
    for number in 0..<50 {
      let answer = await WorkerThreads(count: 2).run { number }
      #expect(answer == number)
    }
  }

  @Test("A task that was begun on the workers stays on them, and what it does in place is done there")
  func tasks() async {
    let workers = WorkerThreads(count: 1)
    let own = await workers.run { pthread_self() }
    let seen = await withTaskGroup(of: [pthread_t].self) { group in
      group.addTask(executorPreference: workers) {
        let first = pthread_self()
        await Task.yield()
        return [first, pthread_self(), await workers.runInPlace { pthread_self() }]
      }
      return await group.next()
    }
    #expect(seen == [own, own, own])
  }

  @Test("What is to be done in place is done on the workers even where its caller is not")
  func inPlace() async {
    let workers = WorkerThreads(count: 1)
    let own = await workers.run { pthread_self() }
    let seen = await workers.runInPlace { pthread_self() }
    #expect(seen == own)
  }

  @Test("A step of a task passes the jobs that wait, and every job is done all the same")
  func order() async {
    let workers = WorkerThreads(count: 1)
    let done = Journal()
    await withTaskGroup(of: Void.self) { outer in
      outer.addTask(executorPreference: workers) {
        await withTaskGroup(of: Void.self) { group in
          // There is one thread: the first child has put its jobs into the line when the second one begins.
          group.addTask {
            await withTaskGroup(of: Void.self) { jobs in
              for number in 1...3 {
                jobs.addTask { await workers.run { done.add("job \(number)") } }
              }
            }
          }
          group.addTask {
            // Behind the children above, which are steps themselves.
            await Task.yield()
            async let step: Void = done.add("step")
            await step
          }
        }
      }
    }
    #expect(done.lines == ["step", "job 1", "job 2", "job 3"])
  }
}

private final class Journal: Sendable {
  private let kept = Mutex<[String]>([])
  var lines: [String] { kept.withLock { $0 } }
  func add(_ line: String) { kept.withLock { $0.append(line) } }
}
