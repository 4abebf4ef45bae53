// How long things took, or how large they were: counts per bucket, their sum and their number.

package struct Histogram<each Label: Hashable & Sendable>: Sendable {
  private let labels: (repeat LabelSet<each Label>)
  private let series: MetricSeries<HistogramCell>
  private let bounds: [Double]

  init(_ labels: repeat LabelSet<each Label>, bounds: [Double], series: MetricSeries<HistogramCell>) {
    self.labels = (repeat each labels)
    (self.bounds, self.series) = (bounds, series)
  }

  package func observe(_ value: Double, _ values: repeat each Label) {
    guard value.isFinite else { return }
    var index = 0
    for (set, value) in repeat (each labels, each values) { index = index * set.count + set.position(of: value) }
    // A bound belongs to its bucket. Lists are a dozen long, so a search would not be quicker.
    let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
    series.update(at: index) {
      $0.counts[bucket] += 1
      $0.sum += value
    }
  }

  package func observe(_ duration: Duration, _ values: repeat each Label) {
    observe(duration / .seconds(1), repeat each values)
  }
}

struct HistogramCell: Sendable {
  /// One per bound, not added up, and the rest.
  var counts: [UInt64]
  var sum: Double

  init(bounds: Int) { (counts, sum) = ([UInt64](repeating: 0, count: bounds + 1), 0) }
}

/// Bounds that fit what is measured, in seconds; each list has its reason.
package enum Buckets {
  /// An answer over HTTP: the list of the system that this one replaces, so that dashboards go on.
  package static let http: [Double] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
  /// A round trip to the database or a private-key operation: from a tenth of a millisecond.
  package static let quick: [Double] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5]
}
