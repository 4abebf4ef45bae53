// What is said beside the rows about the resolver: how soon it was ready, what it holds in memory, and where a request's
// time goes, from its own histograms.

import Synchronization

final class ResolveRemarks: Sendable {
  static let shared = ResolveRemarks()
  /// What was resident after each round of `resolve`.
  private let rounds = Mutex<[Int]>([])

  // MARK: Memory

  /// After a round of `resolve`.
  func note(_ resolver: BenchService, since before: [String: Double]) async throws {
    let memory = try resolver.memoryKiB()
    let rounds = rounds.withLock { rounds in
      rounds.append(memory.now)
      return rounds
    }
    // The first round fills caches, the second is the one to compare with.
    let growth = rounds.count > 2 ? Double(memory.now) / Double(rounds[1]) : 1
    let missions = try await resolver.metrics()["mandate_resolve_mission_seconds_count"] ?? 0
    Remarks.shared.say(
      "resolver",
      "ready after \(Table.fixed(resolver.millisecondsToReady, 0)) ms, at most \(memory.peak) KiB resident; after "
        + "\(Table.fixed(missions, 0)) missions \(Table.fixed(growth, 2)) times what it was after the second round")
    try await split("resolve", resolver, before, asked: nil)
  }

  // MARK: Time

  /// After a round of `resolve-latency`, whose calls took so many milliseconds each.
  func noteSplit(of times: [Double], _ resolver: BenchService, since before: [String: Double]) async throws {
    try await split("resolve-latency", resolver, before, asked: times.reduce(0, +) / Double(times.count))
  }

  /// Means, in milliseconds.
  private func split(
    _ row: String, _ resolver: BenchService, _ before: [String: Double], asked: Double?
  ) async throws {
    let figures = Figures(before: before, after: try await resolver.metrics())
    let request = figures.request
    let batch = figures.mean("mandate_resolve_seconds")
    let parts: [(String, Double)] = [
      ("database", figures.mean("mandate_resolve_round_trip_seconds")),
      ("wait for a thread", figures.mean("mandate_resolve_wait_seconds")),
      ("RSA", figures.mean("mandate_unwrap_seconds")),
      ("records", figures.mean("mandate_resolve_mission_seconds") - figures.mean("mandate_unwrap_seconds")),
    ]
    var said = parts.map { "\($0.0) \(Table.fixed($0.1, 2))" }
    if let asked {
      // One mission per request: what is none of the parts is left over. Of many at once, the parts overlap.
      said.append("else \(Table.fixed(batch - parts.reduce(0) { $0 + $1.1 }, 2))")
      said.append("HTTP of the resolver \(Table.fixed(request - batch, 2))")
      said.append("the caller and the kernel \(Table.fixed(asked - request, 2))")
      said.append("in all \(Table.fixed(asked, 2)) ms")
    } else {
      said.append("a request \(Table.fixed(request, 2)) ms")
    }
    Remarks.shared.say(row + ", on average", said.joined(separator: ", "))
  }
}
