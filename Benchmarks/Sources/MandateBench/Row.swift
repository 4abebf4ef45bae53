// One row: what is measured, and how a pair of rates becomes a ratio.

/// A yardstick that could not be run. Nothing is printed in its place.
struct YardstickProblem: Error {
  let why: String
}

struct Row: Sendable {
  let name: String
  /// What a rate counts, per second.
  let unit: String
  let mark: Double
  var isLong = false
  /// One round of each side, in operations per second.
  let measure: @Sendable () throws -> Pair

  struct Pair: Sendable {
    let ours: Double
    let yardstick: Double
    var ratio: Double { ours / yardstick }
  }

  /// Both sides take turns, so that a machine that slows down slows both; the median round counts.
  static let rounds = 7

  func run() throws -> RowResult {
    _ = try measure()  // Warms caches, fetches algorithms.
    var pairs: [Pair] = []
    for _ in 0..<Self.rounds { pairs.append(try measure()) }
    pairs.sort { $0.ratio < $1.ratio }
    return RowResult(row: self, pair: pairs[pairs.count / 2])
  }
}

struct RowResult {
  let row: Row
  let pair: Row.Pair

  var met: Bool { pair.ratio >= row.mark }
}

enum Stopwatch {
  /// Operations per second of `body`, called in batches until `seconds` have passed.
  static func rate(seconds: Double, batch: Int, _ body: (Int) throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    var done = 0
    var elapsed = 0.0
    while elapsed < seconds {
      try body(batch)
      done += batch
      elapsed = Self.seconds(clock.now - start)
    }
    return Double(done) / elapsed
  }

  static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
