// One row: what is measured, and how a pair of rates becomes a ratio.

/// A yardstick that could not be run. Nothing is printed in its place.
struct YardstickProblem: Error {
  let why: String
}

struct Row: Sendable {
  /// Which ratios are good: of rates the large ones, of times the small ones.
  enum Mark: Sendable {
    case atLeast(Double)
    case atMost(Double)

    var value: Double {
      switch self {
      case .atLeast(let value), .atMost(let value): value
      }
    }

    func isMet(by ratio: Double) -> Bool {
      switch self {
      case .atLeast(let value): ratio >= value
      case .atMost(let value): ratio <= value
      }
    }
  }

  let name: String
  /// What the two sides are in: a rate per second, or a time.
  let unit: String
  let mark: Mark
  var isLong = false
  /// What to say where the mark is missed: where the time goes, as far as it is known.
  var whyMissed: String?
  /// One round of each side.
  let measure: @Sendable () async throws -> Pair

  init(
    name: String, unit: String, mark: Mark, isLong: Bool = false, whyMissed: String? = nil,
    measure: @escaping @Sendable () async throws -> Pair
  ) {
    self.name = name
    self.unit = unit
    self.mark = mark
    self.isLong = isLong
    self.whyMissed = whyMissed
    self.measure = measure
  }

  /// A row of rates.
  init(
    name: String, unit: String, mark: Double, whyMissed: String? = nil,
    measure: @escaping @Sendable () async throws -> Pair
  ) {
    self.init(name: name, unit: unit, mark: .atLeast(mark), whyMissed: whyMissed, measure: measure)
  }

  struct Pair: Sendable {
    let ours: Double
    let yardstick: Double
    var ratio: Double { ours / yardstick }
  }

  /// Both sides take turns, so that a machine that slows down slows both; the median round counts.
  static let rounds = 7

  func run() async throws -> RowResult {
    _ = try await measure()  // Warms caches, fetches algorithms, fills tables.
    var pairs: [Pair] = []
    for _ in 0..<Self.rounds { pairs.append(try await measure()) }
    pairs.sort { $0.ratio < $1.ratio }
    return RowResult(row: self, pair: pairs[pairs.count / 2])
  }
}

struct RowResult {
  let row: Row
  let pair: Row.Pair

  var met: Bool { row.mark.isMet(by: pair.ratio) }
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
